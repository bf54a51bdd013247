import { igemm_s16 as igemmS16 } from "./kernels/igemm_s16";
import { igemm_s16_4x16 as igemmS16Wide } from "./kernels/igemm_s16_4x16";
import { igemm_u7 as igemmU7 } from "./kernels/igemm_u7";
import { igemm_u7_dot4 as igemmU7Dot4 } from "./kernels/igemm_u7_dot4";
import { igemm_u7_dot4_4x16 as igemmU7Dot4Wide } from "./kernels/igemm_u7_dot4_4x16";
import { pack_igemm_s16 as packIgemmS16 } from "./kernels/pack_igemm_s16";
import { pack_igemm_u7 as packIgemmU7 } from "./kernels/pack_igemm_u7";
import { igemm_s16 as igemmS16Twin } from "./reference/igemm_s16";
import { igemm_u7 as igemmU7Twin } from "./reference/igemm_u7";
import { pack_igemm_s16 as packIgemmS16Twin, pack_igemm_u7 as packIgemmU7Twin } from "./reference/pack_igemm";

/*
 * Exports of both sides. Which form of a kernel a build holds is decided at compile time: the condition is static, and
 * the form not taken is not compiled, so a scalar module contains no vector instruction.
 */

/** Version of docs/abi.md. */
export function abi_version(): i32 {
  return 2;
}

/** First byte the host may use: the end of the module's constants, rounded up to 64. */
export function heap_base(): usize {
  return (__heap_base + 63) & ~63;
}

export function igemm_s16(
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
  if (ASC_FEATURE_SIMD) {
    igemmS16(a, aOff, rows, segments, segStride, segBytes, b, bias, scale, c, cOff, n, outKind, lo, hi);
  } else {
    igemmS16Twin(a, aOff, rows, segments, segStride, segBytes, b, bias, scale, c, cOff, n, outKind, lo, hi);
  }
}

export function igemm_s16_4x16(
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
  if (ASC_FEATURE_SIMD) {
    igemmS16Wide(a, aOff, rows, segments, segStride, segBytes, b, bias, scale, c, cOff, n, outKind, lo, hi);
  } else {
    igemmS16Twin(a, aOff, rows, segments, segStride, segBytes, b, bias, scale, c, cOff, n, outKind, lo, hi);
  }
}

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
  if (ASC_FEATURE_RELAXED_SIMD) {
    igemmU7(a, aOff, rows, segments, segStride, segBytes, b, bias, scale, c, cOff, n, outKind, lo, hi);
  } else {
    igemmU7Twin(a, aOff, rows, segments, segStride, segBytes, b, bias, scale, c, cOff, n, outKind, lo, hi);
  }
}

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
  if (ASC_FEATURE_RELAXED_SIMD) {
    igemmU7Dot4(a, aOff, rows, segments, segStride, segBytes, b, bias, scale, c, cOff, n, outKind, lo, hi);
  } else {
    igemmU7Twin(a, aOff, rows, segments, segStride, segBytes, b, bias, scale, c, cOff, n, outKind, lo, hi);
  }
}

export function igemm_u7_dot4_4x16(
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
  if (ASC_FEATURE_RELAXED_SIMD) {
    igemmU7Dot4Wide(a, aOff, rows, segments, segStride, segBytes, b, bias, scale, c, cOff, n, outKind, lo, hi);
  } else {
    igemmU7Twin(a, aOff, rows, segments, segStride, segBytes, b, bias, scale, c, cOff, n, outKind, lo, hi);
  }
}

export function pack_igemm_s16(w: usize, n: i32, segments: i32, values: i32, b: usize): void {
  if (ASC_FEATURE_SIMD) packIgemmS16(w, n, segments, values, b);
  else packIgemmS16Twin(w, n, segments, values, b);
}

export function pack_igemm_u7(w: usize, n: i32, segments: i32, values: i32, b: usize): void {
  if (ASC_FEATURE_SIMD) packIgemmU7(w, n, segments, values, b);
  else packIgemmU7Twin(w, n, segments, values, b);
}
