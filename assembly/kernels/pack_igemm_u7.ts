/**
 * Weights of igemm_u7, as pack_igemm_s16 with fours of bytes in the place of pairs.
 * w  s8  [n][segments][values], −127..127
 * b  s8  [n/8][segments][values/4][8][4], zero before the call
 * Tail: values need not be a multiple of 16. Twin: reference/pack_igemm.ts. Checked in: src/model.
 */
export function pack_igemm_u7(w: usize, n: i32, segments: i32, values: i32, b: usize): void {
  const panel = (<usize>segments * ((<usize>values + 3) >> 2)) << 5;
  for (let o = 0; o < n; o++) {
    let to = b + <usize>(o >> 3) * panel + (<usize>(o & 7) << 2);
    for (let s = 0; s < segments; s++) {
      const end = w + <usize>values;
      for (; w + 16 <= end; w += 16) {
        const x = v128.load(w);
        v128.store32_lane(to, x, 0);
        v128.store32_lane(to, x, 1, 32);
        v128.store32_lane(to, x, 2, 64);
        v128.store32_lane(to, x, 3, 96);
        to += 128;
      }
      while (w < end) {
        for (let i: usize = 0; i < 4 && w < end; i++) store<i8>(to + i, load<i8>(w++));
        to += 32;
      }
    }
  }
}
