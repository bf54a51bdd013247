import { elementShift } from "../lib/outKind";
import { storeSum } from "../lib/store";

/** Scalar twin of kernels/igemm_u7.ts, the same arguments and bits: one channel at a time, in the plainest form. */
export function igemm_u7(
  a: usize,
  aOff: usize,
  rows: i32,
  segments: i32,
  segStride: usize,
  segBytes: usize,
  b: usize,
  bias: usize,
  scale: usize,
  c: usize,
  cOff: usize,
  n: i32,
  outKind: i32,
  lo: i32,
  hi: i32,
): void {
  const shift = elementShift(outKind);
  const panelBytes = (<usize>segments * segBytes) << 3;
  for (let m = 0; m < rows; m++) {
    const row = a + <usize>load<u32>(aOff + (<usize>m << 2));
    const y = c + <usize>load<u32>(cOff + (<usize>m << 2));
    for (let channel = 0; channel < n; channel++) {
      let w = b + (<usize>channel >> 3) * panelBytes + ((<usize>channel & 7) << 2);
      let sum = load<i32>(bias + (<usize>channel << 2));
      for (let segment = 0; segment < segments; segment++) {
        const start = row + <usize>segment * segStride;
        for (let x = start; x < start + segBytes; x += 4) {
          sum += <i32>load<u8>(x) * <i32>load<i8>(w);
          sum += <i32>load<u8>(x, 1) * <i32>load<i8>(w, 1);
          sum += <i32>load<u8>(x, 2) * <i32>load<i8>(w, 2);
          sum += <i32>load<u8>(x, 3) * <i32>load<i8>(w, 3);
          w += 32;
        }
      }
      storeSum(y + (<usize>channel << shift), sum, load<f32>(scale + (<usize>channel << 2)), outKind, lo, hi);
    }
  }
}
