/**
 * y[i] = x[i], s16 to s8. n a multiple of 8; values lie in −127..127 already.
 * Twin: reference/pack_s8.ts. Checked in: src/edge.
 */
export function pack_s8(x: usize, y: usize, n: i32): void {
  for (const end = y + <usize>n; y < end; y += 8) {
    const codes = v128.load(x);
    v128.store64_lane(y, i8x16.narrow_i16x8_s(codes, codes), 0);
    x += 16;
  }
}
