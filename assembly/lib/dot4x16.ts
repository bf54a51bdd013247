/**
 * dot4x8 over two panels: `b` is the first, the second stands behind it. y row r: sixteen s32. For engines that pair 128-bit
 * operations into 256-bit ones, where the sums take eight registers.
 */
// @ts-ignore: decorator
@inline
export function dot4x16(
  a0: usize,
  a1: usize,
  a2: usize,
  a3: usize,
  bytes: usize,
  b: usize,
  y: usize,
  yStride: usize,
): void {
  let v = b + (bytes << 3);
  let s00 = i32x4.splat(0);
  let s01 = s00;
  let s02 = s00;
  let s03 = s00;
  let s10 = s00;
  let s11 = s00;
  let s12 = s00;
  let s13 = s00;
  let s20 = s00;
  let s21 = s00;
  let s22 = s00;
  let s23 = s00;
  let s30 = s00;
  let s31 = s00;
  let s32 = s00;
  let s33 = s00;
  const end = a0 + bytes;
  do {
    const w0 = v128.load(b);
    const w1 = v128.load(b, 16);
    const w2 = v128.load(v);
    const w3 = v128.load(v, 16);
    let x = v128.load32_splat(a0);
    s00 = i32x4.add(s00, i32x4.dot_i16x8_s(x, w0));
    s01 = i32x4.add(s01, i32x4.dot_i16x8_s(x, w1));
    s02 = i32x4.add(s02, i32x4.dot_i16x8_s(x, w2));
    s03 = i32x4.add(s03, i32x4.dot_i16x8_s(x, w3));
    x = v128.load32_splat(a1);
    s10 = i32x4.add(s10, i32x4.dot_i16x8_s(x, w0));
    s11 = i32x4.add(s11, i32x4.dot_i16x8_s(x, w1));
    s12 = i32x4.add(s12, i32x4.dot_i16x8_s(x, w2));
    s13 = i32x4.add(s13, i32x4.dot_i16x8_s(x, w3));
    x = v128.load32_splat(a2);
    s20 = i32x4.add(s20, i32x4.dot_i16x8_s(x, w0));
    s21 = i32x4.add(s21, i32x4.dot_i16x8_s(x, w1));
    s22 = i32x4.add(s22, i32x4.dot_i16x8_s(x, w2));
    s23 = i32x4.add(s23, i32x4.dot_i16x8_s(x, w3));
    x = v128.load32_splat(a3);
    s30 = i32x4.add(s30, i32x4.dot_i16x8_s(x, w0));
    s31 = i32x4.add(s31, i32x4.dot_i16x8_s(x, w1));
    s32 = i32x4.add(s32, i32x4.dot_i16x8_s(x, w2));
    s33 = i32x4.add(s33, i32x4.dot_i16x8_s(x, w3));
    a0 += 4;
    a1 += 4;
    a2 += 4;
    a3 += 4;
    b += 32;
    v += 32;
  } while (a0 < end);
  v128.store(y, s00);
  v128.store(y, s01, 16);
  v128.store(y, s02, 32);
  v128.store(y, s03, 48);
  y += yStride;
  v128.store(y, s10);
  v128.store(y, s11, 16);
  v128.store(y, s12, 32);
  v128.store(y, s13, 48);
  y += yStride;
  v128.store(y, s20);
  v128.store(y, s21, 16);
  v128.store(y, s22, 32);
  v128.store(y, s23, 48);
  y += yStride;
  v128.store(y, s30);
  v128.store(y, s31, 16);
  v128.store(y, s32, 32);
  v128.store(y, s33, 48);
}

/** The same for three rows. */
// @ts-ignore: decorator
@inline
export function dot3x16(
  a0: usize,
  a1: usize,
  a2: usize,
  bytes: usize,
  b: usize,
  y: usize,
  yStride: usize,
): void {
  let v = b + (bytes << 3);
  let s00 = i32x4.splat(0);
  let s01 = s00;
  let s02 = s00;
  let s03 = s00;
  let s10 = s00;
  let s11 = s00;
  let s12 = s00;
  let s13 = s00;
  let s20 = s00;
  let s21 = s00;
  let s22 = s00;
  let s23 = s00;
  const end = a0 + bytes;
  do {
    const w0 = v128.load(b);
    const w1 = v128.load(b, 16);
    const w2 = v128.load(v);
    const w3 = v128.load(v, 16);
    let x = v128.load32_splat(a0);
    s00 = i32x4.add(s00, i32x4.dot_i16x8_s(x, w0));
    s01 = i32x4.add(s01, i32x4.dot_i16x8_s(x, w1));
    s02 = i32x4.add(s02, i32x4.dot_i16x8_s(x, w2));
    s03 = i32x4.add(s03, i32x4.dot_i16x8_s(x, w3));
    x = v128.load32_splat(a1);
    s10 = i32x4.add(s10, i32x4.dot_i16x8_s(x, w0));
    s11 = i32x4.add(s11, i32x4.dot_i16x8_s(x, w1));
    s12 = i32x4.add(s12, i32x4.dot_i16x8_s(x, w2));
    s13 = i32x4.add(s13, i32x4.dot_i16x8_s(x, w3));
    x = v128.load32_splat(a2);
    s20 = i32x4.add(s20, i32x4.dot_i16x8_s(x, w0));
    s21 = i32x4.add(s21, i32x4.dot_i16x8_s(x, w1));
    s22 = i32x4.add(s22, i32x4.dot_i16x8_s(x, w2));
    s23 = i32x4.add(s23, i32x4.dot_i16x8_s(x, w3));
    a0 += 4;
    a1 += 4;
    a2 += 4;
    b += 32;
    v += 32;
  } while (a0 < end);
  v128.store(y, s00);
  v128.store(y, s01, 16);
  v128.store(y, s02, 32);
  v128.store(y, s03, 48);
  y += yStride;
  v128.store(y, s10);
  v128.store(y, s11, 16);
  v128.store(y, s12, 32);
  v128.store(y, s13, 48);
  y += yStride;
  v128.store(y, s20);
  v128.store(y, s21, 16);
  v128.store(y, s22, 32);
  v128.store(y, s23, 48);
}
