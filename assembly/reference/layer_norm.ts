import { OUT_U7_AS_U8 } from "../lib/outKind";
import { rintShiftClamp } from "../lib/round";

/** Scalar twin of kernels/layer_norm.ts, the same arguments and bits. */
export function layer_norm(
  x: usize,
  rows: i32,
  d: i32,
  eps: f32,
  scale: usize,
  zero: usize,
  outKind: i32,
  lo: i32,
  hi: i32,
  y: usize,
  yOff: usize,
): void {
  const inverse = <f32>1.0 / <f32>d;
  for (let i = 0; i < rows; i++) {
    const row = x + ((<usize>i * <usize>d) << 2);
    const mean = sumByLanes(row, d, 0, false) * inverse;
    const variance = sumByLanes(row, d, mean, true) * inverse;
    const r = <f32>1.0 / sqrt<f32>(variance + eps);
    const out = y + <usize>load<u32>(yOff + (<usize>i << 2));
    for (let j: usize = 0; j < <usize>d; j++) {
      const t = load<f32>(row + (j << 2)) - mean;
      const value = t * r * load<f32>(scale + (j << 2));
      const code = rintShiftClamp(value, load<i32>(zero + (j << 2)), lo, hi);
      if (outKind == OUT_U7_AS_U8) store<u8>(out + j, code);
      else store<i16>(out + (j << 1), code);
    }
  }
}

/** Σ x, or Σ (x − mean)² where `squared`, as four interleaved sums closed in pairs. */
function sumByLanes(row: usize, d: i32, mean: f32, squared: bool): f32 {
  const s0 = sumLane(row, d, mean, squared);
  const s1 = sumLane(row + 4, d, mean, squared);
  const s2 = sumLane(row + 8, d, mean, squared);
  const s3 = sumLane(row + 12, d, mean, squared);
  return s0 + s1 + (s2 + s3);
}

function sumLane(lane: usize, d: i32, mean: f32, squared: bool): f32 {
  let sum: f32 = 0;
  for (let i = 0; i < d; i += 4) {
    const value = load<f32>(lane + (<usize>i << 2));
    const t = value - mean;
    sum += squared ? t * t : value;
  }
  return sum;
}
