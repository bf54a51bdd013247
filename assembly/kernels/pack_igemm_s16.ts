/**
 * Weights of igemm_s16, from the order of the weight files to panels of eight channels and pairs of values. Runs once, when a
 * model is loaded: short code that the engine's first compiler tier does well.
 * w  s8   [n][segments][values], −127..127
 * b  s16  [n/8][segments][values/2][8][2], zero before the call: what fills up a panel or a pair is not written
 * Tail: values need not be a multiple of 8. Twin: reference/pack_igemm.ts. Checked in: src/model.
 */
export function pack_igemm_s16(w: usize, n: i32, segments: i32, values: i32, b: usize): void {
  const panel = (<usize>segments * ((<usize>values + 1) >> 1)) << 5;
  for (let o = 0; o < n; o++) {
    let to = b + <usize>(o >> 3) * panel + (<usize>(o & 7) << 2);
    for (let s = 0; s < segments; s++) {
      const end = w + <usize>values;
      for (; w + 8 <= end; w += 8) {
        const x = v128.load8x8_s(w);
        v128.store32_lane(to, x, 0);
        v128.store32_lane(to, x, 1, 32);
        v128.store32_lane(to, x, 2, 64);
        v128.store32_lane(to, x, 3, 96);
        to += 128;
      }
      for (; w < end; w += 2) {
        store<i16>(to, load<i8>(w));
        if (w + 1 < end) store<i16>(to, load<i8>(w, 1), 2);
        to += 32;
      }
      w = end;
    }
  }
}
