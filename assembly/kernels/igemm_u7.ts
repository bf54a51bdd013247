import { elementShift } from "../lib/outKind";
import { storeSums8 } from "../lib/store";
import { ONES_I16 } from "../lib/vectors";

/**
 * igemm_s16 for activations 0..127 stored as uint8, two bytes of product per instruction more.
 * a      u8   values 0..127; a segment is segBytes long (a multiple of 4)
 * b      s8   [n/8][K/4][8][4], packed by packWeightsU7; −127..127
 * Everything else as in igemm_s16. Relaxed SIMD; the same bits on every engine, because inside these ranges each pair sum
 * |2·127·127| < 2^15 neither saturates nor depends on how the engine reads the second operand: weights are the first
 * (signed) operand, activations the second (7 bits).
 * The dot product is split by hand: i16 pair sums, then ones · pairs, then add. V8 rebuilds the ones inside
 * relaxed_dot_add on CPUs without a native form (Zen 4: 42 against 54 GMAC/s).
 * Twin: reference/igemm_u7.ts. Checked in: src/engine.
 */
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
          let x = v128.load32_splat(a0);
          s00 = addDot(s00, w0, x, ones);
          s01 = addDot(s01, w1, x, ones);
          x = v128.load32_splat(a1);
          s10 = addDot(s10, w0, x, ones);
          s11 = addDot(s11, w1, x, ones);
          x = v128.load32_splat(a2);
          s20 = addDot(s20, w0, x, ones);
          s21 = addDot(s21, w1, x, ones);
          x = v128.load32_splat(a3);
          s30 = addDot(s30, w0, x, ones);
          s31 = addDot(s31, w1, x, ones);
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

/** sum + Σ over four k of weight (s8) · activation (u7), per channel. */
// @ts-ignore: decorator
@inline
function addDot(sum: v128, weights: v128, activations: v128, ones: v128): v128 {
  const pairs = v128.relaxed_dot<i16>(weights, activations);
  return i32x4.add(sum, i32x4.dot_i16x8_s(pairs, ones));
}
