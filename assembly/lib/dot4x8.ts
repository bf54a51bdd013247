/**
 * Four rows of s16 against one panel of eight columns: y[r][j] = Σ_k a_r[k] · b[k/2][j][k mod 2], s32.
 * a0..a3  s16, `bytes` long (a multiple of 4, not 0);  b  s16 [K/2][8][2];  y row r at y + r·yStride, eight s32.
 */
// @ts-ignore: decorator
@inline
export function dot4x8(
  a0: usize,
  a1: usize,
  a2: usize,
  a3: usize,
  bytes: usize,
  b: usize,
  y: usize,
  yStride: usize,
): void {
  let s00 = i32x4.splat(0);
  let s01 = s00;
  let s10 = s00;
  let s11 = s00;
  let s20 = s00;
  let s21 = s00;
  let s30 = s00;
  let s31 = s00;
  const end = a0 + bytes;
  do {
    const w0 = v128.load(b);
    const w1 = v128.load(b, 16);
    let x = v128.load32_splat(a0);
    s00 = i32x4.add(s00, i32x4.dot_i16x8_s(x, w0));
    s01 = i32x4.add(s01, i32x4.dot_i16x8_s(x, w1));
    x = v128.load32_splat(a1);
    s10 = i32x4.add(s10, i32x4.dot_i16x8_s(x, w0));
    s11 = i32x4.add(s11, i32x4.dot_i16x8_s(x, w1));
    x = v128.load32_splat(a2);
    s20 = i32x4.add(s20, i32x4.dot_i16x8_s(x, w0));
    s21 = i32x4.add(s21, i32x4.dot_i16x8_s(x, w1));
    x = v128.load32_splat(a3);
    s30 = i32x4.add(s30, i32x4.dot_i16x8_s(x, w0));
    s31 = i32x4.add(s31, i32x4.dot_i16x8_s(x, w1));
    a0 += 4;
    a1 += 4;
    a2 += 4;
    a3 += 4;
    b += 32;
  } while (a0 < end);
  v128.store(y, s00);
  v128.store(y, s01, 16);
  y += yStride;
  v128.store(y, s10);
  v128.store(y, s11, 16);
  y += yStride;
  v128.store(y, s20);
  v128.store(y, s21, 16);
  y += yStride;
  v128.store(y, s30);
  v128.store(y, s31, 16);
}

/** The same for three rows: what is left of a number of rows that four does not divide. */
// @ts-ignore: decorator
@inline
export function dot3x8(a0: usize, a1: usize, a2: usize, bytes: usize, b: usize, y: usize, yStride: usize): void {
  let s00 = i32x4.splat(0);
  let s01 = s00;
  let s10 = s00;
  let s11 = s00;
  let s20 = s00;
  let s21 = s00;
  const end = a0 + bytes;
  do {
    const w0 = v128.load(b);
    const w1 = v128.load(b, 16);
    let x = v128.load32_splat(a0);
    s00 = i32x4.add(s00, i32x4.dot_i16x8_s(x, w0));
    s01 = i32x4.add(s01, i32x4.dot_i16x8_s(x, w1));
    x = v128.load32_splat(a1);
    s10 = i32x4.add(s10, i32x4.dot_i16x8_s(x, w0));
    s11 = i32x4.add(s11, i32x4.dot_i16x8_s(x, w1));
    x = v128.load32_splat(a2);
    s20 = i32x4.add(s20, i32x4.dot_i16x8_s(x, w0));
    s21 = i32x4.add(s21, i32x4.dot_i16x8_s(x, w1));
    a0 += 4;
    a1 += 4;
    a2 += 4;
    b += 32;
  } while (a0 < end);
  v128.store(y, s00);
  v128.store(y, s01, 16);
  y += yStride;
  v128.store(y, s10);
  v128.store(y, s11, 16);
  y += yStride;
  v128.store(y, s20);
  v128.store(y, s21, 16);
}
