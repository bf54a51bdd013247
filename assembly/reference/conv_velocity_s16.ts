/** Scalar twin of kernels/conv_velocity_s16.ts, the same arguments and bits. */
export function conv_velocity_s16(
  a: usize,
  aOff: usize,
  rows: i32,
  segments: i32,
  segStride: usize,
  segBytes: usize,
  w: usize,
  bias: i32,
  scale: f32,
  lo: f32,
  hi: f32,
  y: usize,
): void {
  for (const end = aOff + (<usize>rows << 2); aOff < end; aOff += 4) {
    let sum = bias;
    let weight = w;
    for (let segment: usize = 0; segment < <usize>segments; segment++) {
      const x = a + <usize>load<u32>(aOff) + segment * segStride;
      for (let k: usize = 0; k < segBytes; k += 2) {
        sum += <i32>load<i16>(x + k) * <i32>load<i16>(weight + k);
      }
      weight += segBytes;
    }
    const value = <f32>sum * scale;
    store<f32>(y, value < lo ? lo : value > hi ? hi : value);
    y += 4;
  }
}
