import { elementShift } from "../lib/outKind";
import { roundBound } from "../lib/round";
import { storeCodes8 } from "../lib/store";
import { MAGIC } from "../lib/vectors";
import { POSITION_PAD, tileProducts, tileProducts4x16 } from "../lib/tileProducts";

/** Rows and columns that a tile reads and writes: F(4x4, 3x3). */
const IN: i32 = 6;
const OUT: i32 = 4;
const POSITIONS: usize = 36;

/** Tiles that go through the three stages together: what they leave between stages stays in L2. */
const BLOCK: i32 = 28;

/** 9 · 954437177 = 1 mod 2^32; a load, because a literal would be rebuilt at every use. */
const INVERSE_9: usize = memory.data<i32>([954437177, 954437177, 954437177, 954437177], 16);

/**
 * 3x3 convolution of 4x4 output tiles by Winograd's minimal filtering, in integers and exact: the same bits as igemm_s16
 * over three segments, with 36 products per tile and channel pair instead of 144.
 *   y = Aᵀ (U ∘ V) A / 576,  V = Bᵀ x B,  U = (24 G) w (24 G)ᵀ, last row and column of 24 G halved;  points 0, ±1, ±2, ∞
 * a      s16  image [row][column][channels], rows aRow bytes apart; tile t reads 6x6 pixels from a + aOff[t]; 0..127
 * aOff   u32  [tiles] byte offsets; tiles may overlap
 * b      s16  [36][n/8][channels/2][8][2], packed by packWinograd3x3
 * bias   s32  [n];  scale f32 [n];  channels and n multiples of 8
 * c           tile t writes 4x4 rows of n elements from c + cOff[t], cRow bytes from row to row, cPixel from column to
 *             column; tiles that overlap write the same values
 * scratch     winogradScratchBytes (src/engine/winograd.ts)
 * wide        products of two panels at a time (tileProducts4x16)
 * Range: |V| <= 100·127 and |U| <= 144·127 fit int16. Sums may wrap: 576 (y + bias) is known modulo 2^32, 1/9 exists there, and
 * 64 (y + bias) < 2^31, with its scale by as much smaller, needs |y + bias| < 2^25 (channels <= 231 for all weights).
 * Source: Lavin and Gray 2015, arXiv:1509.09308. Twin: reference/winograd.ts. Checked in: src/model.
 */
export function winograd3x3_s16(
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
    const inputs = scratch + POSITIONS * 32; // for the transforms' first pass
    const inputStep = <usize>rows * pixel + POSITION_PAD;
    const sums = inputs + POSITIONS * inputStep;
    const sumStep = ((<usize>rows * <usize>n) << 2) + POSITION_PAD;
    for (let t = 0; t < count; t++) {
      const x = a + <usize>load<u32>(aOff + (<usize>(first + t) << 2));
      transformInput(x, aRow, pixel, scratch, inputs + <usize>t * pixel, inputStep);
    }
    if (wide && n > 8) tileProducts4x16(inputs, inputStep, rows, count, pixel, b, sums, sumStep, n, <i32>POSITIONS);
    else tileProducts(inputs, inputStep, rows, count, pixel, b, sums, sumStep, n, <i32>POSITIONS);
    for (let t = 0; t < count; t++) {
      const y = c + <usize>load<u32>(cOff + (<usize>(first + t) << 2));
      const m = sums + ((<usize>t * <usize>n) << 2);
      transformOutput(m, sumStep, n, bias, scale, scratch, y, cRow, cPixel, outKind, lo, hi);
    }
  }
}

/**
 * V of one tile, sixteen channels at a time: columns to `first`, then rows. Eight channels too many are those of the next
 * pixel, and the next tile's overwrite them.
 */
function transformInput(x: usize, xRow: usize, xPixel: usize, first: usize, v: usize, vStep: usize): void {
  const vRow = vStep * IN;
  for (const end = v + xPixel; v < end; v += 32) {
    let from = x;
    for (let to = first; to < first + 32 * IN; to += 32) {
      inputLine(from, xRow, to, 32 * IN);
      from += xPixel;
    }
    let row = v;
    for (let from = first; from < first + 32 * IN * IN; from += 32 * IN) {
      inputLine(from, 32, row, vStep);
      row += vRow;
    }
    x += 32;
  }
}

/** One line of Bᵀ: six values `step` bytes apart to six `toStep` apart. */
// @ts-ignore: decorator
@inline
function inputLine(x: usize, step: usize, y: usize, toStep: usize): void {
  const low0 = v128.load(x);
  const high0 = v128.load(x, 16);
  x += step;
  const low1 = v128.load(x);
  const high1 = v128.load(x, 16);
  x += step;
  const low2 = v128.load(x);
  const high2 = v128.load(x, 16);
  x += step;
  const low3 = v128.load(x);
  const high3 = v128.load(x, 16);
  x += step;
  const low4 = v128.load(x);
  const high4 = v128.load(x, 16);
  x += step;
  const low5 = v128.load(x);
  const high5 = v128.load(x, 16);
  const lowEven = i16x8.sub(low4, i16x8.shl(low2, 2));
  const lowOdd = i16x8.sub(low3, i16x8.shl(low1, 2));
  const lowEven2 = i16x8.sub(low4, low2);
  const lowOdd2 = i16x8.shl(i16x8.sub(low3, low1), 1);
  const highEven = i16x8.sub(high4, i16x8.shl(high2, 2));
  const highOdd = i16x8.sub(high3, i16x8.shl(high1, 2));
  const highEven2 = i16x8.sub(high4, high2);
  const highOdd2 = i16x8.shl(i16x8.sub(high3, high1), 1);
  v128.store(y, i16x8.add(i16x8.shl(i16x8.sub(low0, low2), 2), lowEven2));
  v128.store(y, i16x8.add(i16x8.shl(i16x8.sub(high0, high2), 2), highEven2), 16);
  y += toStep;
  v128.store(y, i16x8.add(lowEven, lowOdd));
  v128.store(y, i16x8.add(highEven, highOdd), 16);
  y += toStep;
  v128.store(y, i16x8.sub(lowEven, lowOdd));
  v128.store(y, i16x8.sub(highEven, highOdd), 16);
  y += toStep;
  v128.store(y, i16x8.add(lowEven2, lowOdd2));
  v128.store(y, i16x8.add(highEven2, highOdd2), 16);
  y += toStep;
  v128.store(y, i16x8.sub(lowEven2, lowOdd2));
  v128.store(y, i16x8.sub(highEven2, highOdd2), 16);
  y += toStep;
  v128.store(y, i16x8.sub(i16x8.sub(low5, low3), i16x8.shl(lowOdd2, 1)));
  v128.store(y, i16x8.sub(i16x8.sub(high5, high3), i16x8.shl(highOdd2, 1)), 16);
}

/** All channels of one tile, eight at a time: columns of the sums to `first`, then rows to codes. */
function transformOutput(
  m: usize,
  mStep: usize,
  n: i32,
  bias: usize,
  scale: usize,
  first: usize,
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
  const inverse = v128.load(INVERSE_9);
  const magic = v128.load(MAGIC);
  do {
    // The bias goes into the position that every output takes once.
    const middle = m + down + mStep;
    v128.store(middle, i32x4.add(v128.load(middle), times576(v128.load(bias))));
    v128.store(middle, i32x4.add(v128.load(middle, 16), times576(v128.load(bias, 16))), 16);
    let column = m;
    for (let to = first; to < first + 32 * IN; to += 32) {
      outputColumn(column, down, to);
      column += mStep;
    }
    const scaleLow = f32x4.mul(v128.load(scale), f32x4.splat(1 / 64));
    const scaleHigh = f32x4.mul(v128.load(scale, 16), f32x4.splat(1 / 64));
    let row = y;
    for (let from = first; from < first + 32 * IN * OUT; from += 32 * IN) {
      const low1 = v128.load(from, 32);
      const high1 = v128.load(from, 48);
      const low2 = v128.load(from, 64);
      const high2 = v128.load(from, 80);
      const low3 = v128.load(from, 96);
      const high3 = v128.load(from, 112);
      const low4 = v128.load(from, 128);
      const high4 = v128.load(from, 144);
      const lowSum1 = i32x4.add(low1, low2);
      const lowDifference1 = i32x4.sub(low1, low2);
      const lowSum2 = i32x4.add(low3, low4);
      const lowDifference2 = i32x4.sub(low3, low4);
      const highSum1 = i32x4.add(high1, high2);
      const highDifference1 = i32x4.sub(high1, high2);
      const highSum2 = i32x4.add(high3, high4);
      const highDifference2 = i32x4.sub(high3, high4);
      let out = row;
      let low = i32x4.add(i32x4.add(v128.load(from), lowSum1), lowSum2);
      let high = i32x4.add(i32x4.add(v128.load(from, 16), highSum1), highSum2);
      low = i32x4.mul(low, inverse);
      high = i32x4.mul(high, inverse);
      storeCodes8(out, low, high, scaleLow, scaleHigh, lower, upper, magic, bytes);
      out += yPixel;
      low = i32x4.add(lowDifference1, i32x4.shl(lowDifference2, 1));
      high = i32x4.add(highDifference1, i32x4.shl(highDifference2, 1));
      low = i32x4.mul(low, inverse);
      high = i32x4.mul(high, inverse);
      storeCodes8(out, low, high, scaleLow, scaleHigh, lower, upper, magic, bytes);
      out += yPixel;
      low = i32x4.add(lowSum1, i32x4.shl(lowSum2, 2));
      high = i32x4.add(highSum1, i32x4.shl(highSum2, 2));
      low = i32x4.mul(low, inverse);
      high = i32x4.mul(high, inverse);
      storeCodes8(out, low, high, scaleLow, scaleHigh, lower, upper, magic, bytes);
      out += yPixel;
      low = i32x4.add(i32x4.add(lowDifference1, i32x4.shl(lowDifference2, 3)), i32x4.shl(v128.load(from, 160), 1));
      high = i32x4.add(i32x4.add(highDifference1, i32x4.shl(highDifference2, 3)), i32x4.shl(v128.load(from, 176), 1));
      low = i32x4.mul(low, inverse);
      high = i32x4.mul(high, inverse);
      storeCodes8(out, low, high, scaleLow, scaleHigh, lower, upper, magic, bytes);
      row += yRow;
    }
    m += 32;
    bias += 32;
    scale += 32;
    y += bytes;
  } while (bias < end);
}

// @ts-ignore: decorator
@inline
function times576(x: v128): v128 {
  return i32x4.add(i32x4.shl(x, 9), i32x4.shl(x, 6));
}

/** One column of Aᵀ m, eight channels: six sums `step` bytes apart to four rows of `first`. */
// @ts-ignore: decorator
@inline
function outputColumn(x: usize, step: usize, to: usize): void {
  const low0 = v128.load(x);
  const high0 = v128.load(x, 16);
  x += step;
  const low1 = v128.load(x);
  const high1 = v128.load(x, 16);
  x += step;
  const low2 = v128.load(x);
  const high2 = v128.load(x, 16);
  x += step;
  const low3 = v128.load(x);
  const high3 = v128.load(x, 16);
  x += step;
  const low4 = v128.load(x);
  const high4 = v128.load(x, 16);
  const lowSum1 = i32x4.add(low1, low2);
  const lowDifference1 = i32x4.sub(low1, low2);
  const lowSum2 = i32x4.add(low3, low4);
  const lowDifference2 = i32x4.sub(low3, low4);
  const highSum1 = i32x4.add(high1, high2);
  const highDifference1 = i32x4.sub(high1, high2);
  const highSum2 = i32x4.add(high3, high4);
  const highDifference2 = i32x4.sub(high3, high4);
  v128.store(to, i32x4.add(i32x4.add(low0, lowSum1), lowSum2));
  v128.store(to, i32x4.add(i32x4.add(high0, highSum1), highSum2), 16);
  v128.store(to, i32x4.add(lowDifference1, i32x4.shl(lowDifference2, 1)), 192);
  v128.store(to, i32x4.add(highDifference1, i32x4.shl(highDifference2, 1)), 208);
  v128.store(to, i32x4.add(lowSum1, i32x4.shl(lowSum2, 2)), 384);
  v128.store(to, i32x4.add(highSum1, i32x4.shl(highSum2, 2)), 400);
  x += step;
  v128.store(to, i32x4.add(i32x4.add(lowDifference1, i32x4.shl(lowDifference2, 3)), i32x4.shl(v128.load(x), 1)), 576);
  v128.store(to, i32x4.add(i32x4.add(highDifference1, i32x4.shl(highDifference2, 3)), i32x4.shl(v128.load(x, 16), 1)), 592);
}
