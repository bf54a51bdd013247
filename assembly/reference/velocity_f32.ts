/** Scalar twin of kernels/velocity_f32.ts. */
export function velocity_f32(x: usize, n: i32, lo: f32, hi: f32, y: usize): void {
  for (const end = y + (<usize>n << 2); y < end; y += 4) {
    const value = load<f32>(x);
    store<f32>(y, value < lo ? lo : value > hi ? hi : value);
    x += 32;
  }
}
