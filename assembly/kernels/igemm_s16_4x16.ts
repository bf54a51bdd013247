import { elementShift } from "../lib/outKind";
import { storeSums8 } from "../lib/store";
import { igemm_s16 } from "./igemm_s16";

/**
 * igemm_s16 with a tile of two panels, the same arguments and bits: for engines that pair 128-bit operations into 256-bit
 * ones, where sixteen sums take eight registers. On 128-bit registers it spills (V8, Zen 5: 0.75 of the narrow tile's
 * rate; paired 1.34).
 * An odd last panel goes through the narrow tile. Twin: reference/igemm_s16.ts. Checked in: src/engine.
 */
export function igemm_s16_4x16(
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
  for (; n >= 16; n -= 16) {
    let row = aOff;
    let out = cOff;
    do {
      let a0 = a + <usize>load<u32>(row);
      let a1 = a + <usize>load<u32>(row, 4);
      let a2 = a + <usize>load<u32>(row, 8);
      let a3 = a + <usize>load<u32>(row, 12);
      let s00 = v128.load(bias);
      let s01 = v128.load(bias, 16);
      let s02 = v128.load(bias, 32);
      let s03 = v128.load(bias, 48);
      let s10 = s00;
      let s11 = s01;
      let s12 = s02;
      let s13 = s03;
      let s20 = s00;
      let s21 = s01;
      let s22 = s02;
      let s23 = s03;
      let s30 = s00;
      let s31 = s01;
      let s32 = s02;
      let s33 = s03;
      let w = b;
      let v = b + panelBytes;
      let segment = segments;
      do {
        const end = a0 + segBytes;
        do {
          const w0 = v128.load(w);
          const w1 = v128.load(w, 16);
          const w2 = v128.load(v);
          const w3 = v128.load(v, 16);
          let x = v128.load32_splat(a0);
          s00 = i32x4.add(s00, i32x4.dot_i16x8_s(x, w0));
          s01 = i32x4.add(s01, i32x4.dot_i16x8_s(x, w1));
          s02 = i32x4.add(s02, i32x4.dot_i16x8_s(x, w2));
          s03 = i32x4.add(s03, i32x4.dot_i16x8_s(x, w3));
          x = v128.load32_splat(a1);
          s10 = i32x4.add(s10, i32x4.dot_i16x8_s(x, w0));
          s11 = i32x4.add(s11, i32x4.dot_i16x8_s(x, w1));
          s12 = i32x4.add(s12, i32x4.dot_i16x8_s(x, w2));
          s13 = i32x4.add(s13, i32x4.dot_i16x8_s(x, w3));
          x = v128.load32_splat(a2);
          s20 = i32x4.add(s20, i32x4.dot_i16x8_s(x, w0));
          s21 = i32x4.add(s21, i32x4.dot_i16x8_s(x, w1));
          s22 = i32x4.add(s22, i32x4.dot_i16x8_s(x, w2));
          s23 = i32x4.add(s23, i32x4.dot_i16x8_s(x, w3));
          x = v128.load32_splat(a3);
          s30 = i32x4.add(s30, i32x4.dot_i16x8_s(x, w0));
          s31 = i32x4.add(s31, i32x4.dot_i16x8_s(x, w1));
          s32 = i32x4.add(s32, i32x4.dot_i16x8_s(x, w2));
          s33 = i32x4.add(s33, i32x4.dot_i16x8_s(x, w3));
          a0 += 4;
          a1 += 4;
          a2 += 4;
          a3 += 4;
          w += 32;
          v += 32;
        } while (a0 < end);
        a0 += nextSegment;
        a1 += nextSegment;
        a2 += nextSegment;
        a3 += nextSegment;
      } while (--segment);
      let y = c + <usize>load<u32>(out);
      storeSums8(y, s00, s01, scale, outKind, lo, hi);
      storeSums8(y + panelOut, s02, s03, scale + 32, outKind, lo, hi);
      y = c + <usize>load<u32>(out, 4);
      storeSums8(y, s10, s11, scale, outKind, lo, hi);
      storeSums8(y + panelOut, s12, s13, scale + 32, outKind, lo, hi);
      y = c + <usize>load<u32>(out, 8);
      storeSums8(y, s20, s21, scale, outKind, lo, hi);
      storeSums8(y + panelOut, s22, s23, scale + 32, outKind, lo, hi);
      y = c + <usize>load<u32>(out, 12);
      storeSums8(y, s30, s31, scale, outKind, lo, hi);
      storeSums8(y + panelOut, s32, s33, scale + 32, outKind, lo, hi);
      row += 16;
      out += 16;
    } while (row < aOffEnd);
    b += panelBytes << 1;
    bias += 64;
    scale += 64;
    c += panelOut << 1;
  }
  if (n) igemm_s16(a, aOff, rows, segments, segStride, segBytes, b, bias, scale, c, cOff, n, outKind, lo, hi);
}
