import { storeShiftedCodes8 } from "./store";

/**
 * Four rows of s16 that lie interleaved against one panel of eight columns: y[r][j] = Σ_k a[k/2][r][k mod 2] · b[k/2][j][k mod 2], s32.
 * a  s16 [K/2][4][2], `bytes` long (a multiple of 16, not 0);  b  s16 [K/2][8][2];  y  s32 [4][8]
 * dot4x8 with one pointer where that has four: less to count in every step, for callers that lay out their rows themselves.
 */
// @ts-ignore: decorator
@inline
export function quad4x8(a: usize, bytes: usize, b: usize, y: usize): void {
  let s00 = i32x4.splat(0);
  let s01 = s00;
  let s10 = s00;
  let s11 = s00;
  let s20 = s00;
  let s21 = s00;
  let s30 = s00;
  let s31 = s00;
  const end = a + bytes;
  do {
    const w0 = v128.load(b);
    const w1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    s00 = i32x4.add(s00, i32x4.dot_i16x8_s(x, w0));
    s01 = i32x4.add(s01, i32x4.dot_i16x8_s(x, w1));
    x = v128.load32_splat(a, 4);
    s10 = i32x4.add(s10, i32x4.dot_i16x8_s(x, w0));
    s11 = i32x4.add(s11, i32x4.dot_i16x8_s(x, w1));
    x = v128.load32_splat(a, 8);
    s20 = i32x4.add(s20, i32x4.dot_i16x8_s(x, w0));
    s21 = i32x4.add(s21, i32x4.dot_i16x8_s(x, w1));
    x = v128.load32_splat(a, 12);
    s30 = i32x4.add(s30, i32x4.dot_i16x8_s(x, w0));
    s31 = i32x4.add(s31, i32x4.dot_i16x8_s(x, w1));
    a += 16;
    b += 32;
  } while (a < end);
  v128.store(y, s00);
  v128.store(y, s01, 16);
  v128.store(y, s10, 32);
  v128.store(y, s11, 48);
  v128.store(y, s20, 64);
  v128.store(y, s21, 80);
  v128.store(y, s30, 96);
  v128.store(y, s31, 112);
}

/**
 * The same, requantised to eight codes of each of the rows y0..y3 while the sums are in registers (V8, Zen 4, attention of 80
 * queries and keys: 0.98 of the time through memory). Other arguments: storeShiftedCodes8.
 */
// @ts-ignore: decorator
@inline
export function quadCodes4x8(
  a: usize,
  bytes: usize,
  b: usize,
  scale: usize,
  zero: usize,
  lower: v128,
  upper: v128,
  magic: v128,
  codeBytes: usize,
  y0: usize,
  y1: usize,
  y2: usize,
  y3: usize,
): void {
  let s00 = i32x4.splat(0);
  let s01 = s00;
  let s10 = s00;
  let s11 = s00;
  let s20 = s00;
  let s21 = s00;
  let s30 = s00;
  let s31 = s00;
  const end = a + bytes;
  do {
    const w0 = v128.load(b);
    const w1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    s00 = i32x4.add(s00, i32x4.dot_i16x8_s(x, w0));
    s01 = i32x4.add(s01, i32x4.dot_i16x8_s(x, w1));
    x = v128.load32_splat(a, 4);
    s10 = i32x4.add(s10, i32x4.dot_i16x8_s(x, w0));
    s11 = i32x4.add(s11, i32x4.dot_i16x8_s(x, w1));
    x = v128.load32_splat(a, 8);
    s20 = i32x4.add(s20, i32x4.dot_i16x8_s(x, w0));
    s21 = i32x4.add(s21, i32x4.dot_i16x8_s(x, w1));
    x = v128.load32_splat(a, 12);
    s30 = i32x4.add(s30, i32x4.dot_i16x8_s(x, w0));
    s31 = i32x4.add(s31, i32x4.dot_i16x8_s(x, w1));
    a += 16;
    b += 32;
  } while (a < end);
  storeShiftedCodes8(y0, s00, s01, scale, zero, lower, upper, magic, codeBytes);
  storeShiftedCodes8(y1, s10, s11, scale, zero, lower, upper, magic, codeBytes);
  storeShiftedCodes8(y2, s20, s21, scale, zero, lower, upper, magic, codeBytes);
  storeShiftedCodes8(y3, s30, s31, scale, zero, lower, upper, magic, codeBytes);
}
