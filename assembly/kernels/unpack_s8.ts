/**
 * y[i] = x[i], s8 to s16. n a multiple of 8. Twin: reference/unpack_s8.ts. Checked in: src/central.
 */
export function unpack_s8(x: usize, y: usize, n: i32): void {
  for (const end = x + <usize>n; x < end; x += 8) {
    v128.store(y, v128.load8x8_s(x));
    y += 16;
  }
}
