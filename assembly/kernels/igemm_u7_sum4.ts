import { elementShift } from "../lib/outKind";
import { storeSums8 } from "../lib/store";
import { ONES_I16 } from "../lib/vectors";

/**
 * igemm_u7 for small weights, the same arguments and bits: products of eight k are added up in 16 bits, four to a lane,
 * before they are widened, which saves one of six operations and a quarter of the multiplications.
 * a      u8   as in igemm_u7; a segment is segBytes long, a multiple of 8
 * b      s8   as in igemm_u7; largest_sum4 of it at most 258, so that no lane leaves int16: 127 · 258 < 2^15
 * Twin: reference/igemm_u7.ts. Checked in: src/model.
 */
export function igemm_u7_sum4(
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
  const ones = v128.load(ONES_I16);
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
          const w2 = v128.load(w, 32);
          const w3 = v128.load(w, 48);
          let x = v128.load32_splat(a0);
          let y = v128.load32_splat(a0, 4);
          s00 = addDots(s00, w0, x, w2, y, ones);
          s01 = addDots(s01, w1, x, w3, y, ones);
          x = v128.load32_splat(a1);
          y = v128.load32_splat(a1, 4);
          s10 = addDots(s10, w0, x, w2, y, ones);
          s11 = addDots(s11, w1, x, w3, y, ones);
          x = v128.load32_splat(a2);
          y = v128.load32_splat(a2, 4);
          s20 = addDots(s20, w0, x, w2, y, ones);
          s21 = addDots(s21, w1, x, w3, y, ones);
          x = v128.load32_splat(a3);
          y = v128.load32_splat(a3, 4);
          s30 = addDots(s30, w0, x, w2, y, ones);
          s31 = addDots(s31, w1, x, w3, y, ones);
          a0 += 8;
          a1 += 8;
          a2 += 8;
          a3 += 8;
          w += 64;
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

/** sum + Σ over eight k of weight (s8) · activation (u7), per channel. */
// @ts-ignore: decorator
@inline
function addDots(sum: v128, w: v128, x: v128, v: v128, y: v128, ones: v128): v128 {
  const fours = i16x8.add(v128.relaxed_dot<i16>(w, x), v128.relaxed_dot<i16>(v, y));
  return i32x4.add(sum, i32x4.dot_i16x8_s(fours, ones));
}
