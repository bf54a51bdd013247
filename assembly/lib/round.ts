/**
 * Rounding to integers, half to even, by adding 1.5·2^23: the integer is then the low bits of the f32. Clamping those bits
 * before MAGIC_BITS is taken off saturates every f32, infinities included; after it, a large negative x would wrap.
 */
export const ROUND_MAGIC: f32 = 12582912.0;
export const ROUND_MAGIC_BITS: i32 = 0x4b400000;

/** clamp(rint(x), lo, hi); lo <= hi, both inside ±2^22. */
// @ts-ignore: decorator
@inline
export function rintClamp(x: f32, lo: i32, hi: i32): i32 {
  const bits = reinterpret<i32>(x + ROUND_MAGIC);
  return min(max(bits, ROUND_MAGIC_BITS + lo), ROUND_MAGIC_BITS + hi) - ROUND_MAGIC_BITS;
}

/** clamp(rint(x) + shift, lo, hi), likewise; |shift| up to 2^22 as well. */
// @ts-ignore: decorator
@inline
export function rintShiftClamp(x: f32, shift: i32, lo: i32, hi: i32): i32 {
  const bits = reinterpret<i32>(x + ROUND_MAGIC) + shift;
  return min(max(bits, ROUND_MAGIC_BITS + lo), ROUND_MAGIC_BITS + hi) - ROUND_MAGIC_BITS;
}

/** A lower bound for lanes that still hold ROUND_MAGIC_BITS: lib/store.ts. */
// @ts-ignore: decorator
@inline
export function roundBound(bound: i32): v128 {
  return i32x4.splat(ROUND_MAGIC_BITS + bound);
}
