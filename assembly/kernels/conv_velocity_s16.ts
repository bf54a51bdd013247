import { pairSums } from "../lib/lanes";

/**
 * y[m] = min(max(f32(bias + Σ_seg Σ_k a[aOff[m] + seg·segStride + k] · w[seg][k]) · scale, lo), hi): a convolution with one
 * output channel, the decoder's last layer. igemm would fill a panel of eight with seven channels of zeros.
 * a      s16  rows start at a + aOff[m]; a segment is segBytes long, a multiple of 32
 * aOff   u32  [rows] byte offsets; rows is a multiple of 4
 * w      s16  [segments][segBytes / 2], zeros where a segment of a is shorter than a multiple of 32 bytes
 * y      f32  [rows], written whole; must not overlap a
 * Range: as in igemm_s16. A lane sums every fourth pair of products; integers, so the order is free.
 * Twin: reference/conv_velocity_s16.ts. Checked in: src/model.
 */
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
        const w0 = v128.load(weights);
        const w1 = v128.load(weights, 16);
        s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load(a0), w0));
        s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load(a1), w0));
        s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.load(a2), w0));
        s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.load(a3), w0));
        s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load(a0, 16), w1));
        s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load(a1, 16), w1));
        s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.load(a2, 16), w1));
        s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.load(a3, 16), w1));
        a0 += 32;
        a1 += 32;
        a2 += 32;
        a3 += 32;
        weights += 32;
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
