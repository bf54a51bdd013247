import { pairSums } from "../lib/lanes";
import { ONES_I16 } from "../lib/vectors";

/**
 * conv_velocity_s16 for activations 0..127 stored as uint8 and weights −127..127 stored as int8; a segment is a multiple of
 * 16 bytes. Relaxed SIMD, the same bits on every engine for the reasons given in igemm_u7.
 * Twin: reference/conv_velocity_u7.ts. Checked in: src/model.
 */
export function conv_velocity_u7(
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
  const ones = v128.load(ONES_I16);
  const nextSegment = segStride - segBytes;
  const first = i32x4.splat(bias);
  const factor = f32x4.splat(scale);
  const low = f32x4.splat(lo);
  const high = f32x4.splat(hi);
  for (const end = aOff + (<usize>rows << 2); aOff < end; aOff += 16) {
    let a0 = a + <usize>load<u32>(aOff);
    let a1 = a + <usize>load<u32>(aOff, 4);
    let a2 = a + <usize>load<u32>(aOff, 8);
    let a3 = a + <usize>load<u32>(aOff, 12);
    let s0 = i32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let weights = w;
    let segment = segments;
    do {
      const last = a0 + segBytes;
      do {
        const taps = v128.load(weights);
        s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.relaxed_dot<i16>(taps, v128.load(a0)), ones));
        s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.relaxed_dot<i16>(taps, v128.load(a1)), ones));
        s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.relaxed_dot<i16>(taps, v128.load(a2)), ones));
        s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.relaxed_dot<i16>(taps, v128.load(a3)), ones));
        a0 += 16;
        a1 += 16;
        a2 += 16;
        a3 += 16;
        weights += 16;
      } while (a0 < last);
      a0 += nextSegment;
      a1 += nextSegment;
      a2 += nextSegment;
      a3 += nextSegment;
    } while (--segment);
    const sums = i32x4.add(pairSums(pairSums(s0, s1), pairSums(s2, s3)), first);
    const value = f32x4.mul(f32x4.convert_i32x4_s(sums), factor);
    v128.store(y, f32x4.pmin(f32x4.pmax(value, low), high));
    y += 16;
  }
}
