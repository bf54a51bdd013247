/*
 * The ceiling kernels are measured against: nothing but multiply-accumulates, in the form igemm uses in this build.
 * scalar: i32 mul, add (eight chains).  simd: dot_i16x8_s, add.  relaxed: relaxed_dot, dot with ones, add. Each register
 * chain feeds its own next step, so no engine can hoist or merge them; the values mean nothing. More chains hide more latency
 * until the engine spills: of eight and twelve the caller takes the faster (Zen 4, dot and add: 42 and 15 GMAC/s in Node
 * 20, 41 and 46 in Node 26).
 */
import { ONES_I16 } from "./lib/vectors";

/** Bytes of memory the L1 form streams. */
const L1_BYTES: usize = 8192;

/** First byte the host may use. */
export function heap_base(): usize {
  return (__heap_base + 63) & ~63;
}

/** Multiply-accumulates of one step of one chain. */
export function macs_per_step(): i32 {
  if (ASC_FEATURE_RELAXED_SIMD) return 16;
  return ASC_FEATURE_SIMD ? 8 : 1;
}

/** Chains of `registers_wide`. */
export function chains_wide(): i32 {
  return ASC_FEATURE_SIMD ? 12 : 8;
}

/** Chains of `registers_narrow`. */
export function chains_narrow(): i32 {
  return 8;
}

/** Chains of `l1`. */
export function chains_l1(): i32 {
  return ASC_FEATURE_SIMD ? 6 : 8;
}

/** All operands in registers. */
export function registers_wide(iterations: i32): i32 {
  if (ASC_FEATURE_SIMD) return vectorRegistersWide(iterations);
  return scalarLoop(iterations, heap_base(), 0);
}

/** The same with fewer chains. */
export function registers_narrow(iterations: i32): i32 {
  if (ASC_FEATURE_SIMD) return vectorRegistersNarrow(iterations);
  return scalarLoop(iterations, heap_base(), 0);
}

/** One operand of each multiplication loaded from an 8 kB buffer at `heap_base()`. */
export function l1(iterations: i32): i32 {
  if (ASC_FEATURE_SIMD) return vectorL1(iterations);
  return scalarLoop(iterations, heap_base(), 32);
}

/** Eight chains; `advance` 0 reads the same operands for ever. */
function scalarLoop(iterations: i32, base: usize, advance: usize): i32 {
  let s0: i32 = 1;
  let s1: i32 = 2;
  let s2: i32 = 3;
  let s3: i32 = 4;
  let s4: i32 = 5;
  let s5: i32 = 6;
  let s6: i32 = 7;
  let s7: i32 = 8;
  let p = base;
  let w = load<i32>(base);
  do {
    if (advance) w = load<i32>(p);
    s0 += s0 * w;
    s1 += s1 * w;
    s2 += s2 * w;
    s3 += s3 * w;
    s4 += s4 * w;
    s5 += s5 * w;
    s6 += s6 * w;
    s7 += s7 * w;
    p = base + ((p + advance - base) & (L1_BYTES - 1));
  } while (--iterations);
  return s0 ^ s1 ^ s2 ^ s3 ^ s4 ^ s5 ^ s6 ^ s7;
}

/** Sums of four-byte groups of products, in this build's instructions. */
// @ts-ignore: decorator
@inline
function product(a: v128, b: v128, ones: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.dot_i16x8_s(v128.relaxed_dot<i16>(a, b), ones);
  return i32x4.dot_i16x8_s(a, b);
}

/** A chain's next link. */
// @ts-ignore: decorator
@inline
function step(sum: v128, operand: v128, ones: v128): v128 {
  return i32x4.add(sum, product(operand, sum, ones));
}

function vectorRegistersWide(iterations: i32): i32 {
  const ones = v128.load(ONES_I16);
  const w = v128.load(heap_base());
  let s0 = i32x4.splat(1);
  let s1 = i32x4.splat(2);
  let s2 = i32x4.splat(3);
  let s3 = i32x4.splat(4);
  let s4 = i32x4.splat(5);
  let s5 = i32x4.splat(6);
  let s6 = i32x4.splat(7);
  let s7 = i32x4.splat(8);
  let s8 = i32x4.splat(9);
  let s9 = i32x4.splat(10);
  let sa = i32x4.splat(11);
  let sb = i32x4.splat(12);
  do {
    s0 = step(s0, w, ones);
    s1 = step(s1, w, ones);
    s2 = step(s2, w, ones);
    s3 = step(s3, w, ones);
    s4 = step(s4, w, ones);
    s5 = step(s5, w, ones);
    s6 = step(s6, w, ones);
    s7 = step(s7, w, ones);
    s8 = step(s8, w, ones);
    s9 = step(s9, w, ones);
    sa = step(sa, w, ones);
    sb = step(sb, w, ones);
  } while (--iterations);
  return fold(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb);
}

function vectorRegistersNarrow(iterations: i32): i32 {
  const ones = v128.load(ONES_I16);
  const w = v128.load(heap_base());
  let s0 = i32x4.splat(1);
  let s1 = i32x4.splat(2);
  let s2 = i32x4.splat(3);
  let s3 = i32x4.splat(4);
  let s4 = i32x4.splat(5);
  let s5 = i32x4.splat(6);
  let s6 = i32x4.splat(7);
  let s7 = i32x4.splat(8);
  do {
    s0 = step(s0, w, ones);
    s1 = step(s1, w, ones);
    s2 = step(s2, w, ones);
    s3 = step(s3, w, ones);
    s4 = step(s4, w, ones);
    s5 = step(s5, w, ones);
    s6 = step(s6, w, ones);
    s7 = step(s7, w, ones);
  } while (--iterations);
  return fold(s0, s1, s2, s3, s4, s5, s6, s7, s0, s1, s2, s3);
}

/** Six sums of products of w and what moves past: nothing to hoist, and only the additions are chained. */
function vectorL1(iterations: i32): i32 {
  const ones = v128.load(ONES_I16);
  const base = heap_base();
  const end = base + L1_BYTES - 96;
  const w = v128.load(base);
  let p = base;
  let s0 = i32x4.splat(1);
  let s1 = i32x4.splat(2);
  let s2 = i32x4.splat(3);
  let s3 = i32x4.splat(4);
  let s4 = i32x4.splat(5);
  let s5 = i32x4.splat(6);
  do {
    s0 = i32x4.add(s0, product(w, v128.load(p, 0), ones));
    s1 = i32x4.add(s1, product(w, v128.load(p, 16), ones));
    s2 = i32x4.add(s2, product(w, v128.load(p, 32), ones));
    s3 = i32x4.add(s3, product(w, v128.load(p, 48), ones));
    s4 = i32x4.add(s4, product(w, v128.load(p, 64), ones));
    s5 = i32x4.add(s5, product(w, v128.load(p, 80), ones));
    p += 96;
    if (p > end) p = base;
  } while (--iterations);
  return fold(s0, s1, s2, s3, s4, s5, s0, s1, s2, s3, s4, s5);
}

/** Makes every chain count. */
// @ts-ignore: decorator
@inline
function fold(
  s0: v128,
  s1: v128,
  s2: v128,
  s3: v128,
  s4: v128,
  s5: v128,
  s6: v128,
  s7: v128,
  s8: v128,
  s9: v128,
  sa: v128,
  sb: v128,
): i32 {
  const low = v128.or(v128.or(v128.or(s0, s1), v128.or(s2, s3)), v128.or(s4, s5));
  const high = v128.or(v128.or(v128.or(s6, s7), v128.or(s8, s9)), v128.or(sa, sb));
  return i32x4.extract_lane(v128.or(low, high), 0);
}
