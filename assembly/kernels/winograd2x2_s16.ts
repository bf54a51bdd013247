import { elementShift } from "../lib/outKind";
import { roundBound } from "../lib/round";
import { storeCodes8 } from "../lib/store";
import { MAGIC } from "../lib/vectors";
import { POSITION_PAD, tileProducts, tileProducts4x16 } from "../lib/tileProducts";

/** Rows and columns that a tile reads and writes: F(3x3, 2x2). */
const IN: i32 = 4;
const POSITIONS: usize = 16;

/** Tiles that go through the three stages together: what they leave between stages stays in L2. */
const BLOCK: i32 = 36;

/**
 * 2x2 convolution of 3x3 output tiles by Winograd's minimal filtering, in integers and exact: the same bits as igemm_s16
 * over two segments, with 16 products per tile and channel pair instead of 36. One phase of a transposed convolution.
 *   y = Aᵀ (U ∘ V) A / 4,  V = Bᵀ x B,  U = (2 G) w (2 G)ᵀ;  points 0, ±1, ∞
 * a      s16  image; tile t reads 4x4 pixels from a + aOff[t]; ±2047
 * b      s16  [16][n/8][channels/2][8][2], packed by packWinograd2x2
 * c           tile t writes 3x3 rows of n elements from c + cOff[t], cRow and cPixel apart
 * Range: |V| <= 4·2047 and |U| <= 4·127 fit int16; 4 (y + bias) is known modulo 2^32, so |y + bias| < 2^29.
 * Everything else as in winograd3x3_s16. Twin: reference/winograd.ts. Checked in: src/model.
 */
export function winograd2x2_s16(
  a: usize,
  aOff: usize,
  tiles: i32,
  aRow: usize,
  channels: i32,
  b: usize,
  bias: usize,
  scale: usize,
  c: usize,
  cOff: usize,
  cRow: usize,
  cPixel: usize,
  n: i32,
  outKind: i32,
  lo: i32,
  hi: i32,
  scratch: usize,
  wide: bool,
): void {
  const pixel = <usize>channels << 1;
  for (let first = 0; first < tiles; first += BLOCK) {
    const count = min(tiles - first, BLOCK);
    const rows = (count + 3) & ~3;
    const inputStep = <usize>rows * pixel + POSITION_PAD;
    const sums = scratch + POSITIONS * inputStep;
    const sumStep = ((<usize>rows * <usize>n) << 2) + POSITION_PAD;
    for (let t = 0; t < count; t++) {
      const x = a + <usize>load<u32>(aOff + (<usize>(first + t) << 2));
      transformInput(x, aRow, pixel, scratch + <usize>t * pixel, inputStep);
    }
    if (wide && n > 8) tileProducts4x16(scratch, inputStep, rows, count, pixel, b, sums, sumStep, n, <i32>POSITIONS);
    else tileProducts(scratch, inputStep, rows, count, pixel, b, sums, sumStep, n, <i32>POSITIONS);
    for (let t = 0; t < count; t++) {
      const y = c + <usize>load<u32>(cOff + (<usize>(first + t) << 2));
      const m = sums + ((<usize>t * <usize>n) << 2);
      transformOutput(m, sumStep, n, bias, scale, y, cRow, cPixel, outKind, lo, hi);
    }
  }
}

/**
 * V of one tile, sixteen channels at a time: each row of Bᵀ x from the two rows that it takes, then its columns. Eight
 * channels too many are those of the next pixel, and the next tile's overwrite them.
 */
function transformInput(x: usize, xRow: usize, xPixel: usize, v: usize, vStep: usize): void {
  const vRow = vStep * IN;
  for (const end = v + xPixel; v < end; v += 32) {
    const x1 = x + xRow;
    const x2 = x1 + xRow;
    inputRow(x2, x, false, xPixel, v, vStep);
    inputRow(x2, x1, true, xPixel, v + vRow, vStep);
    inputRow(x2, x1, false, xPixel, v + 2 * vRow, vStep);
    inputRow(x2 + xRow, x1, false, xPixel, v + 3 * vRow, vStep);
    x += 32;
  }
}

// @ts-ignore: decorator
@inline
function inputRow(p: usize, q: usize, isSum: bool, step: usize, v: usize, vStep: usize): void {
  const low0 = addOrSub(v128.load(p), v128.load(q), isSum);
  const high0 = addOrSub(v128.load(p, 16), v128.load(q, 16), isSum);
  p += step;
  q += step;
  const low1 = addOrSub(v128.load(p), v128.load(q), isSum);
  const high1 = addOrSub(v128.load(p, 16), v128.load(q, 16), isSum);
  p += step;
  q += step;
  const low2 = addOrSub(v128.load(p), v128.load(q), isSum);
  const high2 = addOrSub(v128.load(p, 16), v128.load(q, 16), isSum);
  p += step;
  q += step;
  const low3 = addOrSub(v128.load(p), v128.load(q), isSum);
  const high3 = addOrSub(v128.load(p, 16), v128.load(q, 16), isSum);
  v128.store(v, i16x8.sub(low2, low0));
  v128.store(v, i16x8.sub(high2, high0), 16);
  v += vStep;
  v128.store(v, i16x8.add(low2, low1));
  v128.store(v, i16x8.add(high2, high1), 16);
  v += vStep;
  v128.store(v, i16x8.sub(low2, low1));
  v128.store(v, i16x8.sub(high2, high1), 16);
  v += vStep;
  v128.store(v, i16x8.sub(low3, low1));
  v128.store(v, i16x8.sub(high3, high1), 16);
}

// @ts-ignore: decorator
@inline
function addOrSub(a: v128, b: v128, isSum: bool): v128 {
  return isSum ? i16x8.add(a, b) : i16x8.sub(a, b);
}

/** All channels of one tile, eight at a time: each row of Aᵀ m from the rows that it takes, then its columns to codes. */
function transformOutput(
  m: usize,
  mStep: usize,
  n: i32,
  bias: usize,
  scale: usize,
  y: usize,
  yRow: usize,
  yPixel: usize,
  outKind: i32,
  lo: i32,
  hi: i32,
): void {
  const bytes = <usize>8 << elementShift(outKind);
  const end = bias + (<usize>n << 2);
  const down = mStep * IN;
  const lower = roundBound(lo);
  const upper = i16x8.splat(<i16>hi);
  const magic = v128.load(MAGIC);
  do {
    // The bias goes into the position that every output takes once.
    const middle = m + down + mStep;
    v128.store(middle, i32x4.add(v128.load(middle), i32x4.shl(v128.load(bias), 2)));
    v128.store(middle, i32x4.add(v128.load(middle, 16), i32x4.shl(v128.load(bias, 16), 2)), 16);
    const scaleLow = f32x4.mul(v128.load(scale), f32x4.splat(0.25));
    const scaleHigh = f32x4.mul(v128.load(scale, 16), f32x4.splat(0.25));
    const first = m + down;
    const second = first + down;
    outputRow(m, first, second, false, mStep, scaleLow, scaleHigh, lower, upper, magic, y, yPixel, bytes);
    outputRow(m, first, second, true, mStep, scaleLow, scaleHigh, lower, upper, magic, y + yRow, yPixel, bytes);
    outputRow(
      second + down, first, second, false, mStep, scaleLow, scaleHigh, lower, upper, magic, y + 2 * yRow, yPixel, bytes,
    );
    m += 32;
    bias += 32;
    scale += 32;
    y += bytes;
  } while (bias < end);
}

/** One row of outputs: of rows p and q the sum, and r with it, or the difference alone. */
// @ts-ignore: decorator
@inline
function outputRow(
  r: usize,
  p: usize,
  q: usize,
  isDifference: bool,
  step: usize,
  scaleLow: v128,
  scaleHigh: v128,
  lower: v128,
  upper: v128,
  magic: v128,
  y: usize,
  yPixel: usize,
  bytes: usize,
): void {
  const low0 = combine(p, q, r, isDifference);
  const high0 = combine(p + 16, q + 16, r + 16, isDifference);
  p += step;
  q += step;
  r += step;
  const low1 = combine(p, q, r, isDifference);
  const high1 = combine(p + 16, q + 16, r + 16, isDifference);
  p += step;
  q += step;
  r += step;
  const low2 = combine(p, q, r, isDifference);
  const high2 = combine(p + 16, q + 16, r + 16, isDifference);
  p += step;
  q += step;
  r += step;
  const low3 = combine(p, q, r, isDifference);
  const high3 = combine(p + 16, q + 16, r + 16, isDifference);
  const lowSum = i32x4.add(low1, low2);
  const highSum = i32x4.add(high1, high2);
  let low = i32x4.add(low0, lowSum);
  let high = i32x4.add(high0, highSum);
  storeCodes8(y, low, high, scaleLow, scaleHigh, lower, upper, magic, bytes);
  y += yPixel;
  low = i32x4.sub(low1, low2);
  high = i32x4.sub(high1, high2);
  storeCodes8(y, low, high, scaleLow, scaleHigh, lower, upper, magic, bytes);
  y += yPixel;
  low = i32x4.add(lowSum, low3);
  high = i32x4.add(highSum, high3);
  storeCodes8(y, low, high, scaleLow, scaleHigh, lower, upper, magic, bytes);
}

// @ts-ignore: decorator
@inline
function combine(p: usize, q: usize, r: usize, isDifference: bool): v128 {
  const first = v128.load(p);
  const second = v128.load(q);
  return isDifference ? i32x4.sub(first, second) : i32x4.add(i32x4.add(first, second), v128.load(r));
}
