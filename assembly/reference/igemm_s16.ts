import { elementShift } from "../lib/outKind";
import { storeSum } from "../lib/store";

/**
 * Scalar twin of kernels/igemm_s16.ts, the same arguments and bits; also what engines without SIMD run. Eight channels of
 * a panel share each load of a, as in the kernel.
 */
export function igemm_s16(
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
  for (let channel = 0; channel < n; channel += 8) {
    for (let m = 0; m < rows; m++) {
      let start = a + <usize>load<u32>(aOff + (<usize>m << 2));
      let w = b;
      let s0 = load<i32>(bias);
      let s1 = load<i32>(bias, 4);
      let s2 = load<i32>(bias, 8);
      let s3 = load<i32>(bias, 12);
      let s4 = load<i32>(bias, 16);
      let s5 = load<i32>(bias, 20);
      let s6 = load<i32>(bias, 24);
      let s7 = load<i32>(bias, 28);
      for (let segment = 0; segment < segments; segment++) {
        const end = start + segBytes;
        for (let x = start; x < end; x += 4) {
          const x0 = <i32>load<i16>(x);
          const x1 = <i32>load<i16>(x, 2);
          s0 += x0 * <i32>load<i16>(w, 0) + x1 * <i32>load<i16>(w, 2);
          s1 += x0 * <i32>load<i16>(w, 4) + x1 * <i32>load<i16>(w, 6);
          s2 += x0 * <i32>load<i16>(w, 8) + x1 * <i32>load<i16>(w, 10);
          s3 += x0 * <i32>load<i16>(w, 12) + x1 * <i32>load<i16>(w, 14);
          s4 += x0 * <i32>load<i16>(w, 16) + x1 * <i32>load<i16>(w, 18);
          s5 += x0 * <i32>load<i16>(w, 20) + x1 * <i32>load<i16>(w, 22);
          s6 += x0 * <i32>load<i16>(w, 24) + x1 * <i32>load<i16>(w, 26);
          s7 += x0 * <i32>load<i16>(w, 28) + x1 * <i32>load<i16>(w, 30);
          w += 32;
        }
        start += segStride;
      }
      const y = c + <usize>load<u32>(cOff + (<usize>m << 2)) + (<usize>channel << shift);
      storeSum(y, s0, load<f32>(scale), outKind, lo, hi);
      storeSum(y + (1 << shift), s1, load<f32>(scale, 4), outKind, lo, hi);
      storeSum(y + (2 << shift), s2, load<f32>(scale, 8), outKind, lo, hi);
      storeSum(y + (3 << shift), s3, load<f32>(scale, 12), outKind, lo, hi);
      storeSum(y + (4 << shift), s4, load<f32>(scale, 16), outKind, lo, hi);
      storeSum(y + (5 << shift), s5, load<f32>(scale, 20), outKind, lo, hi);
      storeSum(y + (6 << shift), s6, load<f32>(scale, 24), outKind, lo, hi);
      storeSum(y + (7 << shift), s7, load<f32>(scale, 28), outKind, lo, hi);
    }
    b += panelBytes;
    bias += 32;
    scale += 32;
  }
}
