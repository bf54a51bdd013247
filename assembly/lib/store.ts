import { OUT_F32, OUT_U7_AS_U8 } from "./outKind";
import { rintClamp, rintClamp4, roundBound } from "./round";
import { MAGIC, MAGIC_BITS } from "./vectors";

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
  storeRounded8(y, first, second, roundBound(lo), roundBound(hi), outKind == OUT_U7_AS_U8 ? 8 : 16);
}

/** The same for codes alone: bounds of `roundBound`, and the bytes of the eight codes, 8 or 16. */
// @ts-ignore: decorator
@inline
export function storeCodes8(
  y: usize,
  low: v128,
  high: v128,
  scale: usize,
  lower: v128,
  upper: v128,
  bytes: usize,
): void {
  const first = f32x4.mul(f32x4.convert_i32x4_s(low), v128.load(scale));
  const second = f32x4.mul(f32x4.convert_i32x4_s(high), v128.load(scale, 16));
  storeRounded8(y, first, second, lower, upper, bytes);
}

/** The same with a zero added to each rounded value: `zero` is the address of the eight channels' s32, ±2047. */
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
  bytes: usize,
): void {
  const magic = v128.load(MAGIC);
  const magicBits = v128.load(MAGIC_BITS);
  let first = f32x4.mul(f32x4.convert_i32x4_s(low), v128.load(scale));
  let second = f32x4.mul(f32x4.convert_i32x4_s(high), v128.load(scale, 16));
  first = i32x4.add(f32x4.add(first, magic), v128.load(zero));
  second = i32x4.add(f32x4.add(second, magic), v128.load(zero, 16));
  first = i32x4.sub(i32x4.min_s(i32x4.max_s(first, lower), upper), magicBits);
  second = i32x4.sub(i32x4.min_s(i32x4.max_s(second, lower), upper), magicBits);
  storeNarrowed8(y, i16x8.narrow_i32x4_s(first, second), bytes);
}

// @ts-ignore: decorator
@inline
function storeRounded8(y: usize, first: v128, second: v128, lower: v128, upper: v128, bytes: usize): void {
  const codes = i16x8.narrow_i32x4_s(rintClamp4(first, lower, upper), rintClamp4(second, lower, upper));
  storeNarrowed8(y, codes, bytes);
}

// @ts-ignore: decorator
@inline
function storeNarrowed8(y: usize, codes: v128, bytes: usize): void {
  if (bytes == 8) {
    v128.store64_lane(y, i8x16.narrow_i16x8_u(codes, codes), 0);
  } else {
    v128.store(y, codes);
  }
}
