import { OUT_F32, OUT_U7_AS_U8 } from "./outKind";
import { rintClamp, rintClamp4, roundBound } from "./round";

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

// @ts-ignore: decorator
@inline
function storeRounded8(y: usize, first: v128, second: v128, lower: v128, upper: v128, bytes: usize): void {
  const codes = i16x8.narrow_i32x4_s(rintClamp4(first, lower, upper), rintClamp4(second, lower, upper));
  if (bytes == 8) {
    v128.store64_lane(y, i8x16.narrow_i16x8_u(codes, codes), 0);
  } else {
    v128.store(y, codes);
  }
}
