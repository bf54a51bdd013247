import { log2FromOne4 } from "../lib/log2";
import { rintClamp4, roundBound } from "../lib/round";
import { ONE_F32 } from "../lib/vectors";

/**
 * Low-pass, decimate and compand raw traces: y = Σ_k taps[k] · x[decimation·t + k − tapCount/2], then
 * out[t][shot·receivers + r] = sign(y) · min(rint(log2(|y·gain|·compand + 1) · step), 16383).
 * x     f32  [shots][samples][receivers], finite; read only; samples outside the record count as +0
 * taps  f32  [tapCount]
 * out   s16  row t (t < outRows) at out + t·outStride, shots·receivers values
 * Tail: the last four receivers of a shot are computed together, overlapping earlier ones; receivers >= 4.
 * Every lane adds its taps from left to right. Twin: reference/input_stage.ts. Checked in: src/edge.
 */
export function input_stage(
  x: usize,
  shots: i32,
  samples: i32,
  receivers: i32,
  taps: usize,
  tapCount: i32,
  decimation: i32,
  gain: f32,
  compand: f32,
  step: f32,
  out: usize,
  outRows: i32,
  outStride: usize,
): void {
  const sampleBytes = <usize>receivers << 2;
  const shotBytes = <usize>samples * sampleBytes;
  for (let t = 0; t < outRows; t++) {
    const first = t * decimation - tapCount / 2;
    const tapStart = max(0, -first);
    const tapEnd = min(tapCount, samples - first);
    for (let shot = 0; shot < shots; shot++) {
      const traces = x + <usize>shot * shotBytes + <usize>(first + tapStart) * sampleBytes;
      const codes = out + <usize>t * outStride + ((<usize>shot * <usize>receivers) << 1);
      for (let r = 0; r < receivers; r += 4) {
        const receiver = <usize>min(r, receivers - 4);
        const y = filter4(
          traces + (receiver << 2),
          sampleBytes,
          taps + (<usize>tapStart << 2),
          taps + (<usize>tapEnd << 2),
        );
        const q = compand4(y, gain, compand, step);
        v128.store64_lane(codes + (receiver << 1), i16x8.narrow_i32x4_s(q, q), 0);
      }
    }
  }
}

/** Σ tap · sample for four receivers, from the tap at `tap` up to `tapEnd`. */
// @ts-ignore: decorator
@inline
function filter4(sample: usize, sampleBytes: usize, tap: usize, tapEnd: usize): v128 {
  let sum = f32x4.splat(0);
  while (tap < tapEnd) {
    sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(tap), v128.load(sample)));
    sample += sampleBytes;
    tap += 4;
  }
  return sum;
}

/** Signed logarithmic codes of four values, int32. */
// @ts-ignore: decorator
@inline
function compand4(y: v128, gain: f32, compand: f32, step: f32): v128 {
  const magnitude = f32x4.abs(f32x4.mul(y, f32x4.splat(gain)));
  const a = f32x4.add(f32x4.mul(magnitude, f32x4.splat(compand)), v128.load(ONE_F32));
  const level = f32x4.mul(log2FromOne4(a), f32x4.splat(step));
  const q = rintClamp4(level, roundBound(0), roundBound(16383));
  const negative = i32x4.shr_s(y, 31); // all ones where y < 0; a negative zero has q = 0
  return i32x4.sub(v128.xor(q, negative), negative);
}
