import { log2FromOne4 } from "../lib/log2";
import { MAGIC, ONE_F32 } from "../lib/vectors";

const CODE_MAX: usize = memory.data<i16>([16383, 16383, 16383, 16383, 16383, 16383, 16383, 16383], 16);

/**
 * Low-pass, decimate and compand raw traces: y = Σ_k taps[k] · x[decimation·t + k − tapCount/2], then
 * out[t][shot·receivers + r] = sign(y) · min(rint(log2(|y·gain|·compand + 1) · step), 16383).
 * x     f32  [shots][samples][receivers], finite; read only; samples outside the record count as +0
 * taps  f32  [tapCount]
 * out   s16  row t (t < outRows) at out + t·outStride, shots·receivers values
 * Tail: vectors of four receivers that do not fit start at the last four, and write the same codes again; receivers >= 4.
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
  const last = <usize>(receivers - 4) << 2; // where the last four receivers start in a sample
  const gain4 = f32x4.splat(gain);
  const compand4 = f32x4.splat(compand);
  const step4 = f32x4.splat(step);
  for (let t = 0; t < outRows; t++) {
    const first = t * decimation - tapCount / 2;
    const tapStart = max(0, -first);
    const tapEnd = taps + (<usize>min(tapCount, samples - first) << 2);
    const tap = taps + (<usize>tapStart << 2);
    let traces = x + <usize>(first + tapStart) * sampleBytes;
    let codes = out + <usize>t * outStride;
    for (let shot = 0; shot < shots; shot++) {
      for (let r: usize = 0; r < sampleBytes; r += 64) {
        filter16(
          traces,
          min(r, last),
          min(r + 16, last),
          min(r + 32, last),
          min(r + 48, last),
          sampleBytes,
          tap,
          tapEnd,
          gain4,
          compand4,
          step4,
          codes,
        );
      }
      traces += shotBytes;
      codes += <usize>receivers << 1;
    }
  }
}

/**
 * Codes of four receivers each at the bytes r0..r3 of a sample. A lane's sum waits for the one before, so four vectors go
 * side by side and share the loads of the taps.
 */
// @ts-ignore: decorator
@inline
function filter16(
  sample: usize,
  r0: usize,
  r1: usize,
  r2: usize,
  r3: usize,
  sampleBytes: usize,
  tap: usize,
  tapEnd: usize,
  gain: v128,
  compand: v128,
  step: v128,
  codes: usize,
): void {
  let x0 = sample + r0;
  let x1 = sample + r1;
  let x2 = sample + r2;
  let x3 = sample + r3;
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  while (tap < tapEnd) {
    const h = v128.load32_splat(tap);
    s0 = f32x4.add(s0, f32x4.mul(h, v128.load(x0)));
    s1 = f32x4.add(s1, f32x4.mul(h, v128.load(x1)));
    s2 = f32x4.add(s2, f32x4.mul(h, v128.load(x2)));
    s3 = f32x4.add(s3, f32x4.mul(h, v128.load(x3)));
    x0 += sampleBytes;
    x1 += sampleBytes;
    x2 += sampleBytes;
    x3 += sampleBytes;
    tap += 4;
  }
  let q = codes8(s0, s1, gain, compand, step);
  v128.store64_lane(codes + (r0 >> 1), q, 0);
  v128.store64_lane(codes + (r1 >> 1), q, 1);
  q = codes8(s2, s3, gain, compand, step);
  v128.store64_lane(codes + (r2 >> 1), q, 0);
  v128.store64_lane(codes + (r3 >> 1), q, 1);
}

/** Signed logarithmic codes of eight values, s16: those of `a`, then those of `b`. */
// @ts-ignore: decorator
@inline
function codes8(a: v128, b: v128, gain: v128, compand: v128, step: v128): v128 {
  const levels = i16x8.narrow_i32x4_s(level4(a, gain, compand, step), level4(b, gain, compand, step));
  const q = i16x8.min_s(levels, v128.load(CODE_MAX));
  const negative = i16x8.narrow_i32x4_s(i32x4.shr_s(a, 31), i32x4.shr_s(b, 31)); // all ones where y < 0
  return i16x8.sub(v128.xor(q, negative), negative); // a negative zero has q = 0
}

/** rint(log2(|y·gain|·compand + 1) · step), s32: 0 to 128·step, so that narrowing saturates and no bound is needed. */
// @ts-ignore: decorator
@inline
function level4(y: v128, gain: v128, compand: v128, step: v128): v128 {
  const magnitude = f32x4.abs(f32x4.mul(y, gain));
  const a = f32x4.add(f32x4.mul(magnitude, compand), v128.load(ONE_F32));
  const level = f32x4.mul(log2FromOne4(a), step);
  return i32x4.sub(f32x4.add(level, v128.load(MAGIC)), v128.load(MAGIC)); // MAGIC is its own bits
}
