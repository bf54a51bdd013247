/** Scalar twins of kernels/pack_igemm_s16.ts and kernels/pack_igemm_u7.ts. */
export function pack_igemm_s16(w: usize, n: i32, segments: i32, values: i32, b: usize): void {
  const groups = (<usize>values + 1) >> 1;
  for (let o: usize = 0; o < <usize>n; o++) {
    for (let s: usize = 0; s < <usize>segments; s++) {
      const run = b + (((o >> 3) * <usize>segments + s) * groups << 5) + ((o & 7) << 2);
      for (let i: usize = 0; i < <usize>values; i++) {
        store<i16>(run + (i >> 1 << 5) + ((i & 1) << 1), load<i8>(w++));
      }
    }
  }
}

export function pack_igemm_u7(w: usize, n: i32, segments: i32, values: i32, b: usize): void {
  const groups = (<usize>values + 3) >> 2;
  for (let o: usize = 0; o < <usize>n; o++) {
    for (let s: usize = 0; s < <usize>segments; s++) {
      const run = b + (((o >> 3) * <usize>segments + s) * groups << 5) + ((o & 7) << 2);
      for (let i: usize = 0; i < <usize>values; i++) store<i8>(run + (i >> 2 << 5) + (i & 3), load<i8>(w++));
    }
  }
}
