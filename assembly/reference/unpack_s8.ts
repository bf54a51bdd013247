/** Scalar twin of kernels/unpack_s8.ts. */
export function unpack_s8(x: usize, y: usize, n: i32): void {
  for (let i: usize = 0; i < <usize>n; i++) store<i16>(y + (i << 1), load<i8>(x + i));
}
