import { OUT_F32, OUT_U7_AS_U8 } from "./outKind";
import { rintClamp, roundBound } from "./round";
import { MAGIC } from "./vectors";

/** Scales one int32 sum and stores it at `y` as `outKind` says. */
// @ts-ignore: decorator
@inline
export function storeSum(y: usize, sum: i32, scale: f32, outKind: i32, lo: i32, hi: i32): void {
  const value = <f32>sum * scale;
  if (outKind == OUT_F32) {
    store<f32>(y, value);
  } else if (outKind == OUT_U7_AS_U8) {
    store<u8>(y, rintClamp(value, lo, hi));
  } else {
    store<i16>(y, rintClamp(value, lo, hi));
  }
}

/** Eight int32 sums of one output row; `scale` is the address of the eight channels' scales. */
// @ts-ignore: decorator
@inline
export function storeSums8(
  y: usize,
  low: v128,
  high: v128,
  scale: usize,
  outKind: i32,
  lo: i32,
  hi: i32,
): void {
  const first = f32x4.mul(f32x4.convert_i32x4_s(low), v128.load(scale));
  const second = f32x4.mul(f32x4.convert_i32x4_s(high), v128.load(scale, 16));
  if (outKind == OUT_F32) {
    v128.store(y, first);
    v128.store(y, second, 16);
    return;
  }
  const bytes: usize = outKind == OUT_U7_AS_U8 ? 8 : 16;
  storeRounded8(y, first, second, roundBound(lo), i16x8.splat(<i16>hi), v128.load(MAGIC), bytes);
}

/** The same for codes alone, with what does not change from row to row in registers: `storeRounded8` says what it is. */
// @ts-ignore: decorator
@inline
export function storeCodes8(
  y: usize,
  low: v128,
  high: v128,
  scaleLow: v128,
  scaleHigh: v128,
  lower: v128,
  upper: v128,
  magic: v128,
  bytes: usize,
): void {
  const first = f32x4.mul(f32x4.convert_i32x4_s(low), scaleLow);
  const second = f32x4.mul(f32x4.convert_i32x4_s(high), scaleHigh);
  storeRounded8(y, first, second, lower, upper, magic, bytes);
}

/** `storeCodes8` with a zero added: `scale` and `zero` are addresses of the eight channels' f32 and s32. */
// @ts-ignore: decorator
@inline
export function storeShiftedCodes8(
  y: usize,
  low: v128,
  high: v128,
  scale: usize,
  zero: usize,
  lower: v128,
  upper: v128,
  magic: v128,
  bytes: usize,
): void {
  const first = f32x4.mul(f32x4.convert_i32x4_s(low), v128.load(scale));
  const second = f32x4.mul(f32x4.convert_i32x4_s(high), v128.load(scale, 16));
  storeShifted8(y, first, second, zero, lower, upper, magic, bytes);
}

/** Eight f32 values, rounded, with a zero added: `zero` is the address of the eight channels' s32, ±2047. */
// @ts-ignore: decorator
@inline
export function storeShifted8(
  y: usize,
  first: v128,
  second: v128,
  zero: usize,
  lower: v128,
  upper: v128,
  magic: v128,
  bytes: usize,
): void {
  const low = i32x4.add(f32x4.add(first, magic), v128.load(zero));
  const high = i32x4.add(f32x4.add(second, magic), v128.load(zero, 16));
  storeBits8(y, low, high, lower, upper, magic, bytes);
}

// @ts-ignore: decorator
@inline
function storeRounded8(y: usize, first: v128, second: v128, lower: v128, upper: v128, magic: v128, bytes: usize): void {
  storeBits8(y, f32x4.add(first, magic), f32x4.add(second, magic), lower, upper, magic, bytes);
}

/**
 * The end of rintClamp for eight values: `lower` of `roundBound`, `upper` eight int16, `magic` four ROUND_MAGIC, whose bits are
 * ROUND_MAGIC_BITS. The upper bound can wait until the eight are one vector, because narrowing saturates.
 */
// @ts-ignore: decorator
@inline
function storeBits8(y: usize, first: v128, second: v128, lower: v128, upper: v128, magic: v128, bytes: usize): void {
  const low = i32x4.sub(i32x4.max_s(first, lower), magic);
  const high = i32x4.sub(i32x4.max_s(second, lower), magic);
  const codes = i16x8.min_s(i16x8.narrow_i32x4_s(low, high), upper);
  if (bytes == 8) {
    v128.store64_lane(y, i8x16.narrow_i16x8_u(codes, codes), 0);
  } else {
    v128.store(y, codes);
  }
}
