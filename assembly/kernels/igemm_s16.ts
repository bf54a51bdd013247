import { elementShift } from "../lib/outKind";
import { storeSums8 } from "../lib/store";

/**
 * acc[m][n] = bias[n] + Σ_seg Σ_k a[aOff[m] + seg·segStride + k] · w[n][seg][k];  c[cOff[m]][n] = out(acc · scale[n]).
 * a      s16  rows start at a + aOff[m]; a segment is segBytes long (a multiple of 4); overlap is allowed
 * aOff   u32  [rows] byte offsets; rows is a multiple of 4
 * b      s16  [n/8][K/2][8][2], packed by packWeightsS16; 16-byte aligned
 * bias   s32  [n];  scale f32 [n]
 * c           row m at c + cOff[m], n elements of outKind (lib/outKind.ts), written whole; must not overlap a
 * Range: the exporter keeps |acc| below 2^31 for every input; |a·w| pairs cannot overflow the 32-bit lanes of the dot.
 * Tile 4x8: eight accumulators and two weight vectors live in registers, a is broadcast two values at a time. Panels of
 * weights are the outer loop, so one panel stays in L1 while all rows pass.
 * Twin: reference/igemm_s16.ts. Checked in: src/engine.
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
  const panelOut = <usize>8 << elementShift(outKind);
  const panelBytes = (<usize>segments * segBytes) << 3;
  const nextSegment = segStride - segBytes;
  const aOffEnd = aOff + (<usize>rows << 2);
  const biasEnd = bias + (<usize>n << 2);
  do {
    let row = aOff;
    let out = cOff;
    do {
      let a0 = a + <usize>load<u32>(row);
      let a1 = a + <usize>load<u32>(row, 4);
      let a2 = a + <usize>load<u32>(row, 8);
      let a3 = a + <usize>load<u32>(row, 12);
      let s00 = v128.load(bias);
      let s01 = v128.load(bias, 16);
      let s10 = s00;
      let s11 = s01;
      let s20 = s00;
      let s21 = s01;
      let s30 = s00;
      let s31 = s01;
      let w = b;
      let segment = segments;
      do {
        const end = a0 + segBytes;
        do {
          const w0 = v128.load(w);
          const w1 = v128.load(w, 16);
          let x = v128.load32_splat(a0);
          s00 = i32x4.add(s00, i32x4.dot_i16x8_s(x, w0));
          s01 = i32x4.add(s01, i32x4.dot_i16x8_s(x, w1));
          x = v128.load32_splat(a1);
          s10 = i32x4.add(s10, i32x4.dot_i16x8_s(x, w0));
          s11 = i32x4.add(s11, i32x4.dot_i16x8_s(x, w1));
          x = v128.load32_splat(a2);
          s20 = i32x4.add(s20, i32x4.dot_i16x8_s(x, w0));
          s21 = i32x4.add(s21, i32x4.dot_i16x8_s(x, w1));
          x = v128.load32_splat(a3);
          s30 = i32x4.add(s30, i32x4.dot_i16x8_s(x, w0));
          s31 = i32x4.add(s31, i32x4.dot_i16x8_s(x, w1));
          a0 += 4;
          a1 += 4;
          a2 += 4;
          a3 += 4;
          w += 32;
        } while (a0 < end);
        a0 += nextSegment;
        a1 += nextSegment;
        a2 += nextSegment;
        a3 += nextSegment;
      } while (--segment);
      storeSums8(c + <usize>load<u32>(out), s00, s01, scale, outKind, lo, hi);
      storeSums8(c + <usize>load<u32>(out, 4), s10, s11, scale, outKind, lo, hi);
      storeSums8(c + <usize>load<u32>(out, 8), s20, s21, scale, outKind, lo, hi);
      storeSums8(c + <usize>load<u32>(out, 12), s30, s31, scale, outKind, lo, hi);
      row += 16;
      out += 16;
    } while (row < aOffEnd);
    b += panelBytes;
    bias += 32;
    scale += 32;
    c += panelOut;
  } while (bias < biasEnd);
}
