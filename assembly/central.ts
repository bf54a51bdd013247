/* The central module: what the node that joins the latents runs. Arguments: docs/abi.md. */
import { add_f32 as addF32 } from "./kernels/add_f32";
import { attention_s16 as attentionS16 } from "./kernels/attention_s16";
import { layer_norm_s16 as layerNormS16 } from "./kernels/layer_norm_s16";
import { unpack_s8 as unpackS8 } from "./kernels/unpack_s8";
import { velocity_f32 as velocityF32 } from "./kernels/velocity_f32";
import { add_f32 as addF32Twin } from "./reference/add_f32";
import { attention_s16 as attentionS16Twin } from "./reference/attention_s16";
import { layer_norm_s16 as layerNormS16Twin } from "./reference/layer_norm_s16";
import { unpack_s8 as unpackS8Twin } from "./reference/unpack_s8";
import { velocity_f32 as velocityF32Twin } from "./reference/velocity_f32";

export {
  abi_version,
  heap_base,
  igemm_s16,
  igemm_s16_4x16,
  igemm_u7,
  igemm_u7_dot4,
  igemm_u7_dot4_4x16,
} from "./common";

export function unpack_s8(x: usize, y: usize, n: i32): void {
  if (ASC_FEATURE_SIMD) unpackS8(x, y, n);
  else unpackS8Twin(x, y, n);
}

export function layer_norm_s16(
  x: usize,
  rows: i32,
  d: i32,
  eps: f32,
  qscale: f32,
  y: usize,
  yOff: usize,
): void {
  if (ASC_FEATURE_SIMD) layerNormS16(x, rows, d, eps, qscale, y, yOff);
  else layerNormS16Twin(x, rows, d, eps, qscale, y, yOff);
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
  outScale: f32,
  scratch: usize,
  y: usize,
  yStride: usize,
): void {
  if (ASC_FEATURE_SIMD) {
    attentionS16(
      q, qStride, k, kStride, v, vStride, tq, tk, heads, headDim, scoreScale, outScale, scratch, y, yStride,
    );
  } else {
    attentionS16Twin(
      q, qStride, k, kStride, v, vStride, tq, tk, heads, headDim, scoreScale, outScale, scratch, y, yStride,
    );
  }
}

export function add_f32(x: usize, y: usize, n: i32): void {
  if (ASC_FEATURE_SIMD) addF32(x, y, n);
  else addF32Twin(x, y, n);
}

export function velocity_f32(x: usize, n: i32, lo: f32, hi: f32, y: usize): void {
  if (ASC_FEATURE_SIMD) velocityF32(x, n, lo, hi, y);
  else velocityF32Twin(x, n, lo, hi, y);
}
