import { expNonPositive } from "../lib/exp";
import { OUT_U7_AS_U8 } from "../lib/outKind";
import { rintClamp, rintShiftClamp } from "../lib/round";

/** Scalar twin of kernels/attention_s16.ts, the same arguments and bits; of scratch it uses one row of scores. */
export function attention_s16(
  q: usize,
  qStride: usize,
  k: usize,
  kStride: usize,
  v: usize,
  vStride: usize,
  tq: i32,
  tk: i32,
  heads: i32,
  headDim: i32,
  scoreScale: f32,
  scale: usize,
  zero: usize,
  outKind: i32,
  lo: i32,
  hi: i32,
  scratch: usize,
  y: usize,
  yStride: usize,
): void {
  for (let head: usize = 0; head < <usize>heads; head++) {
    const column = (head * <usize>headDim) << 1;
    for (let i: usize = 0; i < <usize>tq; i++) {
      const largest = scoreRow(q + i * qStride + column, k + column, kStride, tk, headDim, scoreScale, scratch);
      softmaxRow(scratch, tk, largest);
      for (let c = head * <usize>headDim; c < (head + 1) * <usize>headDim; c++) {
        const value = <f32>weigh(scratch, v + (c << 1), vStride, tk) * load<f32>(scale + (c << 2));
        const code = rintShiftClamp(value, load<i32>(zero + (c << 2)), lo, hi);
        const row = y + i * yStride;
        if (outKind == OUT_U7_AS_U8) store<u8>(row + c, code);
        else store<i16>(row + (c << 1), code);
      }
    }
  }
}

/** One query against all keys, f32; returns the largest score. */
function scoreRow(
  q: usize,
  k: usize,
  kStride: usize,
  tk: i32,
  headDim: i32,
  scoreScale: f32,
  scores: usize,
): f32 {
  let largest: f32 = -Infinity;
  for (let j: usize = 0; j < <usize>tk; j++) {
    const key = k + j * kStride;
    let sum: i32 = 0;
    for (let c: usize = 0; c < <usize>headDim << 1; c += 2) sum += <i32>load<i16>(q + c) * <i32>load<i16>(key + c);
    const s = <f32>sum * scoreScale;
    store<f32>(scores + (j << 2), s);
    if (s > largest) largest = s;
  }
  return largest;
}

/** Scores to 14-bit probabilities, int32 in the place of the f32. */
function softmaxRow(scores: usize, tk: i32, largest: f32): void {
  const end = scores + (<usize>tk << 2);
  let s0: f32 = 0;
  let s1: f32 = 0;
  let s2: f32 = 0;
  let s3: f32 = 0;
  for (let p = scores; p < end; p += 4) store<f32>(p, expNonPositive(load<f32>(p) - largest));
  for (let p = scores; p < end; p += 16) {
    s0 += load<f32>(p);
    s1 += load<f32>(p, 4);
    s2 += load<f32>(p, 8);
    s3 += load<f32>(p, 12);
  }
  const r = <f32>16383.0 / (s0 + s1 + (s2 + s3));
  for (let p = scores; p < end; p += 4) store<i32>(p, rintClamp(load<f32>(p) * r, 0, 16383));
}

/** Probabilities times one channel's values. */
function weigh(probabilities: usize, v: usize, vStride: usize, tk: i32): i32 {
  let sum: i32 = 0;
  for (let j: usize = 0; j < <usize>tk; j++) {
    sum += load<i32>(probabilities + (j << 2)) * <i32>load<i16>(v + j * vStride);
  }
  return sum;
}
