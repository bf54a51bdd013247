/** Scalar twin of kernels/add_f32.ts. */
export function add_f32(x: usize, y: usize, n: i32): void {
  for (const end = x + (<usize>n << 2); x < end; x += 4) {
    store<f32>(x, load<f32>(x) + load<f32>(y));
    y += 4;
  }
}
