/* The edge module: what an end device runs. Arguments: docs/abi.md. */
import { conv1d_pairs_s16 as conv1dPairs } from "./kernels/conv1d_pairs_s16";
import { pack_conv1d_pairs as packConv1dPairs } from "./kernels/pack_conv1d_pairs";
import { find_nonfinite_f32 as findNonFinite } from "./kernels/find_nonfinite_f32";
import { input_stage as inputStage } from "./kernels/input_stage";
import { pack_s8 as packS8 } from "./kernels/pack_s8";
import { conv1d_pairs_s16 as conv1dPairsTwin, pack_conv1d_pairs as packConv1dPairsTwin } from "./reference/conv1d_pairs_s16";
import { find_nonfinite_f32 as findNonFiniteTwin } from "./reference/find_nonfinite_f32";
import { input_stage as inputStageTwin } from "./reference/input_stage";
import { pack_s8 as packS8Twin } from "./reference/pack_s8";

export {
  abi_version,
  heap_base,
  igemm_s16,
  igemm_s16_4x16,
  igemm_u7,
  igemm_u7_dot4,
  igemm_u7_dot4_4x16,
  pack_igemm_s16,
  pack_igemm_u7,
} from "./common";

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
  if (ASC_FEATURE_SIMD) {
    inputStage(x, shots, samples, receivers, taps, tapCount, decimation, gain, compand, step, out, outRows, outStride);
  } else {
    inputStageTwin(x, shots, samples, receivers, taps, tapCount, decimation, gain, compand, step, out, outRows, outStride);
  }
}

export function conv1d_pairs_s16(
  a: usize,
  aBytes: usize,
  aOff: usize,
  pairs: i32,
  half: usize,
  rest: usize,
  b: usize,
  bias: usize,
  scale: usize,
  c: usize,
  cOff: usize,
  n: i32,
  outKind: i32,
  lo: i32,
  hi: i32,
  scratch: usize,
): void {
  if (ASC_FEATURE_SIMD) {
    conv1dPairs(a, aBytes, aOff, pairs, half, rest, b, bias, scale, c, cOff, n, outKind, lo, hi, scratch);
  } else {
    conv1dPairsTwin(a, aBytes, aOff, pairs, half, rest, b, bias, scale, c, cOff, n, outKind, lo, hi, scratch);
  }
}

export function pack_conv1d_pairs(w: usize, n: i32, half: usize, rest: usize, b: usize): void {
  if (ASC_FEATURE_SIMD) packConv1dPairs(w, n, half, rest, b);
  else packConv1dPairsTwin(w, n, half, rest, b);
}

export function pack_s8(x: usize, y: usize, n: i32): void {
  if (ASC_FEATURE_SIMD) packS8(x, y, n);
  else packS8Twin(x, y, n);
}

export function find_nonfinite_f32(x: usize, n: i32): i32 {
  return ASC_FEATURE_SIMD ? findNonFinite(x, n) : findNonFiniteTwin(x, n);
}
