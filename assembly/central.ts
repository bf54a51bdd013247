/* The central module: what the node that joins the latents runs. Arguments: docs/abi.md. */
import { add_f32 as addF32 } from "./kernels/add_f32";
import { attention_s16 as attentionS16 } from "./kernels/attention_s16";
import { conv_velocity_s16 as convVelocityS16 } from "./kernels/conv_velocity_s16";
import { conv_velocity_u7 as convVelocityU7 } from "./kernels/conv_velocity_u7";
import { igemm_u7_sum4 as igemmU7Sum4 } from "./kernels/igemm_u7_sum4";
import { largest_sum4 as largestSum4 } from "./kernels/largest_sum4";
import { layer_norm as layerNorm } from "./kernels/layer_norm";
import { pack_winograd as packWinograd } from "./kernels/pack_winograd";
import { unpack_s8 as unpackS8 } from "./kernels/unpack_s8";
import { winograd2x2_s16 as winograd2x2 } from "./kernels/winograd2x2_s16";
import { winograd3x3_s16 as winograd3x3 } from "./kernels/winograd3x3_s16";
import { add_f32 as addF32Twin } from "./reference/add_f32";
import { attention_s16 as attentionS16Twin } from "./reference/attention_s16";
import { conv_velocity_s16 as convVelocityS16Twin } from "./reference/conv_velocity_s16";
import { conv_velocity_u7 as convVelocityU7Twin } from "./reference/conv_velocity_u7";
import { igemm_u7 as igemmU7Twin } from "./reference/igemm_u7";
import { largest_sum4 as largestSum4Twin } from "./reference/largest_sum4";
import { layer_norm as layerNormTwin } from "./reference/layer_norm";
import { unpack_s8 as unpackS8Twin } from "./reference/unpack_s8";
import { pack_winograd as packWinogradTwin } from "./reference/pack_winograd";
import { winograd2x2_s16 as winograd2x2Twin, winograd3x3_s16 as winograd3x3Twin } from "./reference/winograd";

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

export function igemm_u7_sum4(
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
    igemmU7Sum4(a, aOff, rows, segments, segStride, segBytes, b, bias, scale, c, cOff, n, outKind, lo, hi);
  } else {
    igemmU7Twin(a, aOff, rows, segments, segStride, segBytes, b, bias, scale, c, cOff, n, outKind, lo, hi);
  }
}

export function largest_sum4(b: usize, bytes: i32): i32 {
  return ASC_FEATURE_SIMD ? largestSum4(b, bytes) : largestSum4Twin(b, bytes);
}

export function unpack_s8(x: usize, y: usize, n: i32): void {
  if (ASC_FEATURE_SIMD) unpackS8(x, y, n);
  else unpackS8Twin(x, y, n);
}

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
  if (ASC_FEATURE_SIMD) layerNorm(x, rows, d, eps, scale, zero, outKind, lo, hi, y, yOff);
  else layerNormTwin(x, rows, d, eps, scale, zero, outKind, lo, hi, y, yOff);
}

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
  if (ASC_FEATURE_SIMD) {
    attentionS16(
      q, qStride, k, kStride, v, vStride, tq, tk, heads, headDim, scoreScale, scale, zero, outKind, lo, hi,
      scratch, y, yStride,
    );
  } else {
    attentionS16Twin(
      q, qStride, k, kStride, v, vStride, tq, tk, heads, headDim, scoreScale, scale, zero, outKind, lo, hi,
      scratch, y, yStride,
    );
  }
}

export function add_f32(x: usize, y: usize, n: i32): void {
  if (ASC_FEATURE_SIMD) addF32(x, y, n);
  else addF32Twin(x, y, n);
}

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
  if (ASC_FEATURE_SIMD) {
    convVelocityS16(a, aOff, rows, segments, segStride, segBytes, w, bias, scale, lo, hi, y);
  } else {
    convVelocityS16Twin(a, aOff, rows, segments, segStride, segBytes, w, bias, scale, lo, hi, y);
  }
}

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
  if (ASC_FEATURE_RELAXED_SIMD) {
    convVelocityU7(a, aOff, rows, segments, segStride, segBytes, w, bias, scale, lo, hi, y);
  } else {
    convVelocityU7Twin(a, aOff, rows, segments, segStride, segBytes, w, bias, scale, lo, hi, y);
  }
}

export function winograd3x3_s16(
  a: usize,
  aOff: usize,
  tiles: i32,
  aRow: usize,
  channels: i32,
  b: usize,
  bias: usize,
  scale: usize,
  c: usize,
  cOff: usize,
  cRow: usize,
  cPixel: usize,
  n: i32,
  outKind: i32,
  lo: i32,
  hi: i32,
  scratch: usize,
): void {
  if (ASC_FEATURE_SIMD) {
    winograd3x3(
      a, aOff, tiles, aRow, channels, b, bias, scale, c, cOff, cRow, cPixel, n, outKind, lo, hi, scratch, false,
    );
  } else {
    winograd3x3Twin(
      a, aOff, tiles, aRow, channels, b, bias, scale, c, cOff, cRow, cPixel, n, outKind, lo, hi, scratch,
    );
  }
}

export function winograd3x3_s16_4x16(
  a: usize,
  aOff: usize,
  tiles: i32,
  aRow: usize,
  channels: i32,
  b: usize,
  bias: usize,
  scale: usize,
  c: usize,
  cOff: usize,
  cRow: usize,
  cPixel: usize,
  n: i32,
  outKind: i32,
  lo: i32,
  hi: i32,
  scratch: usize,
): void {
  if (ASC_FEATURE_SIMD) {
    winograd3x3(
      a, aOff, tiles, aRow, channels, b, bias, scale, c, cOff, cRow, cPixel, n, outKind, lo, hi, scratch, true,
    );
  } else {
    winograd3x3Twin(
      a, aOff, tiles, aRow, channels, b, bias, scale, c, cOff, cRow, cPixel, n, outKind, lo, hi, scratch,
    );
  }
}

export function winograd2x2_s16(
  a: usize,
  aOff: usize,
  tiles: i32,
  aRow: usize,
  channels: i32,
  b: usize,
  bias: usize,
  scale: usize,
  c: usize,
  cOff: usize,
  cRow: usize,
  cPixel: usize,
  n: i32,
  outKind: i32,
  lo: i32,
  hi: i32,
  scratch: usize,
): void {
  if (ASC_FEATURE_SIMD) {
    winograd2x2(
      a, aOff, tiles, aRow, channels, b, bias, scale, c, cOff, cRow, cPixel, n, outKind, lo, hi, scratch, false,
    );
  } else {
    winograd2x2Twin(
      a, aOff, tiles, aRow, channels, b, bias, scale, c, cOff, cRow, cPixel, n, outKind, lo, hi, scratch,
    );
  }
}

export function winograd2x2_s16_4x16(
  a: usize,
  aOff: usize,
  tiles: i32,
  aRow: usize,
  channels: i32,
  b: usize,
  bias: usize,
  scale: usize,
  c: usize,
  cOff: usize,
  cRow: usize,
  cPixel: usize,
  n: i32,
  outKind: i32,
  lo: i32,
  hi: i32,
  scratch: usize,
): void {
  if (ASC_FEATURE_SIMD) {
    winograd2x2(
      a, aOff, tiles, aRow, channels, b, bias, scale, c, cOff, cRow, cPixel, n, outKind, lo, hi, scratch, true,
    );
  } else {
    winograd2x2Twin(
      a, aOff, tiles, aRow, channels, b, bias, scale, c, cOff, cRow, cPixel, n, outKind, lo, hi, scratch,
    );
  }
}

export function pack_winograd(w: usize, taps: i32, n: i32, channels: i32, b: usize): void {
  if (ASC_FEATURE_SIMD) packWinograd(w, taps, n, channels, b);
  else packWinogradTwin(w, taps, n, channels, b);
}
