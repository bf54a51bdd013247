import { elementShift } from "../lib/outKind";
import { roundBound } from "../lib/round";
import { storeCodes8 } from "../lib/store";
import { tileProducts } from "../lib/tileProducts";

/** Rows and columns that a tile reads and writes: F(3x3, 2x2). */
const IN: i32 = 4;
const OUT: i32 = 3;
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
 * Range: |V| <= 4·2047 and |U| <= 4·127 fit int16; 4 y is known modulo 2^32, so |y| < 2^29.
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
): void {
  const pixel = <usize>channels << 1;
  for (let first = 0; first < tiles; first += BLOCK) {
    const count = min(tiles - first, BLOCK);
    const rows = (count + 3) & ~3;
    const inputs = scratch + POSITIONS * 32; // 16 vectors for the transforms' first pass
    const inputStep = <usize>rows * pixel;
    const sums = inputs + POSITIONS * inputStep;
    const sumStep = (<usize>rows * <usize>n) << 2;
    for (let t = 0; t < count; t++) {
      const x = a + <usize>load<u32>(aOff + (<usize>(first + t) << 2));
      const v = inputs + <usize>t * pixel;
      for (let k: usize = 0; k < pixel; k += 16) transformInput(x + k, aRow, pixel, scratch, v + k, inputStep);
    }
    tileProducts(inputs, inputStep, rows, count, pixel, b, sums, n, <i32>POSITIONS);
    for (let t = 0; t < count; t++) {
      const y = c + <usize>load<u32>(cOff + (<usize>(first + t) << 2));
      const m = sums + ((<usize>t * <usize>n) << 2);
      transformOutput(m, sumStep, n, bias, scale, scratch, y, cRow, cPixel, outKind, lo, hi);
    }
  }
}

/** V of eight channels: columns, then rows. */
function transformInput(x: usize, xRow: usize, xPixel: usize, first: usize, v: usize, vStep: usize): void {
  for (let pass = 0; pass < 2; pass++) {
    const down = pass ? <usize>16 : xRow; // from value to value of one line
    const across = pass ? <usize>(16 * IN) : xPixel; // from line to line
    const toDown = pass ? vStep : <usize>(16 * IN);
    const toAcross = pass ? vStep * IN : <usize>16;
    let from = pass ? first : x;
    let y = pass ? v : first;
    for (let line = 0; line < IN; line++) {
      const d0 = v128.load(from);
      const d1 = v128.load(from + down);
      const d2 = v128.load(from + 2 * down);
      const d3 = v128.load(from + 3 * down);
      v128.store(y, i16x8.sub(d2, d0));
      v128.store(y + toDown, i16x8.add(d2, d1));
      v128.store(y + 2 * toDown, i16x8.sub(d2, d1));
      v128.store(y + 3 * toDown, i16x8.sub(d3, d1));
      from += across;
      y += toAcross;
    }
  }
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
  const upper = roundBound(hi);
  do {
    for (let half: usize = 0; half < 32; half += 16) {
      let x = m + half;
      let to = first + half;
      for (let column = 0; column < IN; column++) {
        const m1 = v128.load(x + down);
        const m2 = v128.load(x + 2 * down);
        const sum = i32x4.add(m1, m2);
        v128.store(to, i32x4.add(v128.load(x), sum));
        v128.store(to, i32x4.sub(m1, m2), 128);
        v128.store(to, i32x4.add(sum, v128.load(x + 3 * down)), 256);
        x += mStep;
        to += 32;
      }
    }
    let from = first;
    let row = y;
    for (let i = 0; i < OUT; i++) {
      const low1 = v128.load(from, 32);
      const low2 = v128.load(from, 64);
      const high1 = v128.load(from, 48);
      const high2 = v128.load(from, 80);
      const lowSum = i32x4.add(low1, low2);
      const highSum = i32x4.add(high1, high2);
      let out = row;
      let low = i32x4.add(v128.load(from), lowSum);
      let high = i32x4.add(v128.load(from, 16), highSum);
      storePixel(out, low, high, bias, scale, lower, upper, bytes);
      out += yPixel;
      storePixel(out, i32x4.sub(low1, low2), i32x4.sub(high1, high2), bias, scale, lower, upper, bytes);
      out += yPixel;
      low = i32x4.add(lowSum, v128.load(from, 96));
      high = i32x4.add(highSum, v128.load(from, 112));
      storePixel(out, low, high, bias, scale, lower, upper, bytes);
      from += 128;
      row += yRow;
    }
    m += 32;
    bias += 32;
    scale += 32;
    y += bytes;
  } while (bias < end);
}

/** 4 y of eight channels, modulo 2^32, to codes. */
// @ts-ignore: decorator
@inline
function storePixel(
  y: usize,
  low: v128,
  high: v128,
  bias: usize,
  scale: usize,
  lower: v128,
  upper: v128,
  bytes: usize,
): void {
  const first = i32x4.add(i32x4.shr_s(low, 2), v128.load(bias));
  const second = i32x4.add(i32x4.shr_s(high, 2), v128.load(bias, 16));
  storeCodes8(y, first, second, scale, lower, upper, bytes);
}
