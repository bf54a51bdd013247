import { elementShift } from "../lib/outKind";
import { storeSums8 } from "../lib/store";

/**
 * igemm_u7 with one instruction per vector of products, the same arguments and bits: the faster form where the engine has
 * that instruction (V8 with AVX-VNNI: vpdpbusd; Arm: sdot), the slower one where it emulates it (src/engine/igemmForms.ts).
 * Eight accumulators are just enough to hide the four cycles of a vpdpbusd.
 * Twin: reference/igemm_u7.ts. Checked in: src/engine.
 */
export function igemm_u7_dot4(
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
          s00 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w0, x, s00);
          s01 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w1, x, s01);
          x = v128.load32_splat(a1);
          s10 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w0, x, s10);
          s11 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w1, x, s11);
          x = v128.load32_splat(a2);
          s20 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w0, x, s20);
          s21 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w1, x, s21);
          x = v128.load32_splat(a3);
          s30 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w0, x, s30);
          s31 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w1, x, s31);
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
