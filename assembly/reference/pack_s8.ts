/** Scalar twin of kernels/pack_s8.ts. */
export function pack_s8(x: usize, y: usize, n: i32): void {
  for (let i: usize = 0; i < <usize>n; i++) store<i8>(y + i, load<i16>(x + (i << 1)));
}
