/*
 * The ceiling kernels are measured against: nothing but multiply-accumulates, in the forms igemm uses in this build.
 * scalar: i32 mul, add (eight chains).  simd: dot_i16x8_s, add.  relaxed: relaxed_dot, dot with ones, add; or relaxed_dot_add.
 * As in a product of matrices every sum has its own pair of operands: weights move past, and each one loaded serves four
 * values, so neither loads nor the sums' own latency are the limit, and no engine can hoist a product. Eight sums fit
 * 128-bit registers, sixteen 256-bit ones (V8's revectorisation); which loop an engine compiles best differs, so the caller
 * takes the fastest. `base` is where the weights stand: heap_base(), as an argument because V8 pairs no stores to constant
 * addresses.
 */
import { ONES_I16 } from "./lib/vectors";

/** Bytes of weights that move past in one pass: half of the smallest L1. */
const STREAM_BYTES: usize = 16384;

/** Steps of one pass of f32 chains. */
const F32_STEPS: i32 = 512;

/** First byte the host may use. */
export function heap_base(): usize {
  return (__heap_base + 63) & ~63;
}

/** Multiply-accumulates of one product. */
export function macs_per_product(): i32 {
  if (ASC_FEATURE_RELAXED_SIMD) return 16;
  return ASC_FEATURE_SIMD ? 8 : 1;
}

/** Products of one pass of every function below. */
export function products_per_pass(): i32 {
  return <i32>(STREAM_BYTES / 16) * (ASC_FEATURE_SIMD ? 4 : 2);
}

/** Two vectors of weights move past four values in registers: eight sums. */
export function registers_4x8(passes: i32, base: usize): void {
  if (ASC_FEATURE_SIMD) narrow(passes, base, false);
  else scalarLoop(passes, base, 0);
}

/** Four vectors of weights and four values move: sixteen sums. V8 pairs only operands that it loads in the loop. */
export function registers_4x16(passes: i32, base: usize): void {
  if (ASC_FEATURE_SIMD) wide(passes, base, false);
  else scalarLoop(passes, base, 0);
}

/** The same with one instruction for four products of bytes, in the build that has it. */
export function registers_dot4_4x8(passes: i32, base: usize): void {
  if (ASC_FEATURE_SIMD) narrow(passes, base, true);
  else scalarLoop(passes, base, 0);
}

export function registers_dot4_4x16(passes: i32, base: usize): void {
  if (ASC_FEATURE_SIMD) wide(passes, base, true);
  else scalarLoop(passes, base, 0);
}

/**
 * The same with products of eight k added up in 16 bits first (igemm_u7_sum4), in the build that has it: sixteen channels
 * against two pairs of values, so that values stay in registers.
 */
export function registers_sum4_2x16(passes: i32, base: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) summed(passes, base);
  else scalarLoop(passes, base, 0);
}

/** Every product loads one operand: eight sums of one value. */
export function l1(passes: i32, base: usize): void {
  if (ASC_FEATURE_SIMD) streamed(passes, base, false);
  else scalarLoop(passes, base, 4);
}

export function l1_dot4(passes: i32, base: usize): void {
  if (ASC_FEATURE_SIMD) streamed(passes, base, true);
  else scalarLoop(passes, base, 4);
}

/** Products and sums of f32 vectors of one pass of `f32_registers`, each. */
export function f32_pairs_per_pass(): i32 {
  return F32_STEPS * 6;
}

/**
 * The ceiling of f32 arithmetic: six chains of products and six of sums, so that both kinds of unit are busy whatever their
 * latency. `base` holds a vector of ones. Nothing to measure without SIMD.
 */
export function f32_registers(passes: i32, base: usize): void {
  if (ASC_FEATURE_SIMD) f32Chains(passes, base);
}

/**
 * The ceiling of a sweep over memory as a time step of the wave equation makes it, without its arithmetic: p, d and c are read once,
 * p and d written. The three arrays stand one after the other from `base`, `bytes` each, a multiple of 16.
 */
export function f32_sweep(base: usize, bytes: usize): void {
  if (ASC_FEATURE_SIMD) {
    let p = base;
    let d = base + bytes;
    let c = d + bytes;
    const end = d;
    do {
      const next = f32x4.add(v128.load(d), v128.load(c));
      v128.store(d, next);
      v128.store(p, f32x4.add(v128.load(p), next));
      p += 16;
      d += 16;
      c += 16;
    } while (p < end);
  }
}

/** Eight chains that feed their own next step; `advance` 0 reads the same operand for ever. */
function scalarLoop(passes: i32, base: usize, advance: usize): void {
  let s0: i32 = 1;
  let s1: i32 = 2;
  let s2: i32 = 3;
  let s3: i32 = 4;
  let s4: i32 = 5;
  let s5: i32 = 6;
  let s6: i32 = 7;
  let s7: i32 = 8;
  let w = load<i32>(base);
  do {
    let p = base;
    for (let i: usize = 0; i < STREAM_BYTES / 64; i++) {
      if (advance) w = load<i32>(p);
      s0 += s0 * w;
      s1 += s1 * w;
      s2 += s2 * w;
      s3 += s3 * w;
      s4 += s4 * w;
      s5 += s5 * w;
      s6 += s6 * w;
      s7 += s7 * w;
      p += advance;
    }
  } while (--passes);
  store<i32>(base + STREAM_BYTES, s0 ^ s1 ^ s2 ^ s3 ^ s4 ^ s5 ^ s6 ^ s7);
}

/** sum + the products of weights (s8 or s16) and values (u7 or s16), in this build's instructions. */
// @ts-ignore: decorator
@inline
function addProduct(sum: v128, weights: v128, values: v128, ones: v128, dot4: bool): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (dot4) return i32x4.relaxed_dot_i8x16_i7x16_add_s(weights, values, sum);
    return i32x4.add(sum, i32x4.dot_i16x8_s(v128.relaxed_dot<i16>(weights, values), ones));
  }
  return i32x4.add(sum, i32x4.dot_i16x8_s(weights, values));
}

/** Sums are stored in pairs after every pass: from such stores V8 pairs operations. */
// @ts-ignore: decorator
@inline
function narrow(passes: i32, base: usize, dot4: bool): void {
  const ones = v128.load(ONES_I16);
  const end = base + STREAM_BYTES;
  const x0 = v128.load32_splat(base, 0);
  const x1 = v128.load32_splat(base, 4);
  const x2 = v128.load32_splat(base, 8);
  const x3 = v128.load32_splat(base, 12);
  do {
    let s00 = i32x4.splat(0);
    let s01 = i32x4.splat(0);
    let s10 = i32x4.splat(0);
    let s11 = i32x4.splat(0);
    let s20 = i32x4.splat(0);
    let s21 = i32x4.splat(0);
    let s30 = i32x4.splat(0);
    let s31 = i32x4.splat(0);
    let p = base;
    do {
      const w0 = v128.load(p);
      const w1 = v128.load(p, 16);
      s00 = addProduct(s00, w0, x0, ones, dot4);
      s01 = addProduct(s01, w1, x0, ones, dot4);
      s10 = addProduct(s10, w0, x1, ones, dot4);
      s11 = addProduct(s11, w1, x1, ones, dot4);
      s20 = addProduct(s20, w0, x2, ones, dot4);
      s21 = addProduct(s21, w1, x2, ones, dot4);
      s30 = addProduct(s30, w0, x3, ones, dot4);
      s31 = addProduct(s31, w1, x3, ones, dot4);
      p += 32;
    } while (p < end);
    v128.store(end, s00);
    v128.store(end, s01, 16);
    v128.store(end, s10, 32);
    v128.store(end, s11, 48);
    v128.store(end, s20, 64);
    v128.store(end, s21, 80);
    v128.store(end, s30, 96);
    v128.store(end, s31, 112);
  } while (--passes);
}

/** As `narrow`, twice as wide, values loaded too. */
// @ts-ignore: decorator
@inline
function wide(passes: i32, base: usize, dot4: bool): void {
  const ones = v128.load(ONES_I16);
  const end = base + STREAM_BYTES;
  do {
    let s00 = i32x4.splat(0);
    let s01 = i32x4.splat(0);
    let s02 = i32x4.splat(0);
    let s03 = i32x4.splat(0);
    let s10 = i32x4.splat(0);
    let s11 = i32x4.splat(0);
    let s12 = i32x4.splat(0);
    let s13 = i32x4.splat(0);
    let s20 = i32x4.splat(0);
    let s21 = i32x4.splat(0);
    let s22 = i32x4.splat(0);
    let s23 = i32x4.splat(0);
    let s30 = i32x4.splat(0);
    let s31 = i32x4.splat(0);
    let s32 = i32x4.splat(0);
    let s33 = i32x4.splat(0);
    let p = base;
    do {
      let x0 = v128.load32_splat(p);
      const w0 = v128.load(p);
      const w1 = v128.load(p, 16);
      const w2 = v128.load(p, 32);
      const w3 = v128.load(p, 48);
      s00 = addProduct(s00, w0, x0, ones, dot4);
      s01 = addProduct(s01, w1, x0, ones, dot4);
      s02 = addProduct(s02, w2, x0, ones, dot4);
      s03 = addProduct(s03, w3, x0, ones, dot4);
      x0 = v128.load32_splat(p, 4);
      s10 = addProduct(s10, w0, x0, ones, dot4);
      s11 = addProduct(s11, w1, x0, ones, dot4);
      s12 = addProduct(s12, w2, x0, ones, dot4);
      s13 = addProduct(s13, w3, x0, ones, dot4);
      x0 = v128.load32_splat(p, 8);
      s20 = addProduct(s20, w0, x0, ones, dot4);
      s21 = addProduct(s21, w1, x0, ones, dot4);
      s22 = addProduct(s22, w2, x0, ones, dot4);
      s23 = addProduct(s23, w3, x0, ones, dot4);
      x0 = v128.load32_splat(p, 12);
      s30 = addProduct(s30, w0, x0, ones, dot4);
      s31 = addProduct(s31, w1, x0, ones, dot4);
      s32 = addProduct(s32, w2, x0, ones, dot4);
      s33 = addProduct(s33, w3, x0, ones, dot4);
      p += 64;
    } while (p < end);
    v128.store(end, s00);
    v128.store(end, s01, 16);
    v128.store(end, s02, 32);
    v128.store(end, s03, 48);
    v128.store(end, s10, 64);
    v128.store(end, s11, 80);
    v128.store(end, s12, 96);
    v128.store(end, s13, 112);
    v128.store(end, s20, 128);
    v128.store(end, s21, 144);
    v128.store(end, s22, 160);
    v128.store(end, s23, 176);
    v128.store(end, s30, 192);
    v128.store(end, s31, 208);
    v128.store(end, s32, 224);
    v128.store(end, s33, 240);
  } while (--passes);
}

/** Eight sums, eight loads. */
// @ts-ignore: decorator
@inline
function streamed(passes: i32, base: usize, dot4: bool): void {
  const ones = v128.load(ONES_I16);
  const end = base + STREAM_BYTES;
  const x = v128.load32_splat(base);
  let s0 = i32x4.splat(0);
  let s1 = i32x4.splat(0);
  let s2 = i32x4.splat(0);
  let s3 = i32x4.splat(0);
  let s4 = i32x4.splat(0);
  let s5 = i32x4.splat(0);
  let s6 = i32x4.splat(0);
  let s7 = i32x4.splat(0);
  passes <<= 2;
  do {
    let p = base;
    do {
      s0 = addProduct(s0, v128.load(p), x, ones, dot4);
      s1 = addProduct(s1, v128.load(p, 16), x, ones, dot4);
      s2 = addProduct(s2, v128.load(p, 32), x, ones, dot4);
      s3 = addProduct(s3, v128.load(p, 48), x, ones, dot4);
      s4 = addProduct(s4, v128.load(p, 64), x, ones, dot4);
      s5 = addProduct(s5, v128.load(p, 80), x, ones, dot4);
      s6 = addProduct(s6, v128.load(p, 96), x, ones, dot4);
      s7 = addProduct(s7, v128.load(p, 112), x, ones, dot4);
      p += 128;
    } while (p < end);
  } while (--passes);
  v128.store(end, s0);
  v128.store(end, s1, 16);
  v128.store(end, s2, 32);
  v128.store(end, s3, 48);
  v128.store(end, s4, 64);
  v128.store(end, s5, 80);
  v128.store(end, s6, 96);
  v128.store(end, s7, 112);
}

/** sum + the products of two vectors of weights and values each, added up in 16 bits before they are widened. */
// @ts-ignore: decorator
@inline
function addProducts(sum: v128, w: v128, x: v128, v: v128, y: v128, ones: v128): v128 {
  const fours = i16x8.add(v128.relaxed_dot<i16>(w, x), v128.relaxed_dot<i16>(v, y));
  return i32x4.add(sum, i32x4.dot_i16x8_s(fours, ones));
}

/** Every vector of weights serves two values, so two passes make up for four. */
// @ts-ignore: decorator
@inline
function summed(passes: i32, base: usize): void {
  const ones = v128.load(ONES_I16);
  const end = base + STREAM_BYTES;
  const x0 = v128.load32_splat(base, 0);
  const y0 = v128.load32_splat(base, 4);
  const x1 = v128.load32_splat(base, 8);
  const y1 = v128.load32_splat(base, 12);
  passes <<= 1;
  do {
    let s00 = i32x4.splat(0);
    let s01 = i32x4.splat(0);
    let s02 = i32x4.splat(0);
    let s03 = i32x4.splat(0);
    let s10 = i32x4.splat(0);
    let s11 = i32x4.splat(0);
    let s12 = i32x4.splat(0);
    let s13 = i32x4.splat(0);
    let p = base;
    do {
      let w = v128.load(p);
      let v = v128.load(p, 32);
      s00 = addProducts(s00, w, x0, v, y0, ones);
      s10 = addProducts(s10, w, x1, v, y1, ones);
      w = v128.load(p, 16);
      v = v128.load(p, 48);
      s01 = addProducts(s01, w, x0, v, y0, ones);
      s11 = addProducts(s11, w, x1, v, y1, ones);
      w = v128.load(p, 64);
      v = v128.load(p, 96);
      s02 = addProducts(s02, w, x0, v, y0, ones);
      s12 = addProducts(s12, w, x1, v, y1, ones);
      w = v128.load(p, 80);
      v = v128.load(p, 112);
      s03 = addProducts(s03, w, x0, v, y0, ones);
      s13 = addProducts(s13, w, x1, v, y1, ones);
      p += 128;
    } while (p < end);
    v128.store(end, s00);
    v128.store(end, s01, 16);
    v128.store(end, s02, 32);
    v128.store(end, s03, 48);
    v128.store(end, s10, 64);
    v128.store(end, s11, 80);
    v128.store(end, s12, 96);
    v128.store(end, s13, 112);
  } while (--passes);
}

// @ts-ignore: decorator
@inline
function f32Chains(passes: i32, base: usize): void {
  const one = v128.load(base);
  let m0 = one;
  let m1 = one;
  let m2 = one;
  let m3 = one;
  let m4 = one;
  let m5 = one;
  let s0 = one;
  let s1 = one;
  let s2 = one;
  let s3 = one;
  let s4 = one;
  let s5 = one;
  do {
    let steps = F32_STEPS;
    do {
      m0 = f32x4.mul(m0, one);
      s0 = f32x4.add(s0, one);
      m1 = f32x4.mul(m1, one);
      s1 = f32x4.add(s1, one);
      m2 = f32x4.mul(m2, one);
      s2 = f32x4.add(s2, one);
      m3 = f32x4.mul(m3, one);
      s3 = f32x4.add(s3, one);
      m4 = f32x4.mul(m4, one);
      s4 = f32x4.add(s4, one);
      m5 = f32x4.mul(m5, one);
      s5 = f32x4.add(s5, one);
    } while (--steps);
  } while (--passes);
  v128.store(base, m0, 16);
  v128.store(base, m1, 32);
  v128.store(base, m2, 48);
  v128.store(base, m3, 64);
  v128.store(base, m4, 80);
  v128.store(base, m5, 96);
  v128.store(base, s0, 112);
  v128.store(base, s1, 128);
  v128.store(base, s2, 144);
  v128.store(base, s3, 160);
  v128.store(base, s4, 176);
  v128.store(base, s5, 192);
}
