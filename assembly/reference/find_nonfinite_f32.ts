/** Scalar twin of kernels/find_nonfinite_f32.ts. */
export function find_nonfinite_f32(x: usize, n: i32): i32 {
  for (let i = 0; i < n; i++) {
    const value = load<f32>(x + (<usize>i << 2));
    if (value - value != 0) return i;
  }
  return -1;
}
