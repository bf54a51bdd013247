import { elementShift } from "../lib/outKind";
import { roundBound } from "../lib/round";
import { storeCodes8 } from "../lib/store";
import { tileProducts } from "../lib/tileProducts";

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
 * Range: |V| <= 100·127 and |U| <= 144·127 fit int16. Sums may wrap: 576 y is known modulo 2^32, 1/9 exists there, and
 * |y| < 2^25 is what the shift by 6 needs (channels <= 231 for all weights).
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
): void {
  const pixel = <usize>channels << 1;
  for (let first = 0; first < tiles; first += BLOCK) {
    const count = min(tiles - first, BLOCK);
    const rows = (count + 3) & ~3;
    const inputs = scratch + POSITIONS * 32; // 36 vectors for the transforms' first pass
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
      const d4 = v128.load(from + 4 * down);
      const d5 = v128.load(from + 5 * down);
      const even = i16x8.sub(d4, i16x8.shl(d2, 2));
      const odd = i16x8.sub(d3, i16x8.shl(d1, 2));
      const even2 = i16x8.sub(d4, d2);
      const odd2 = i16x8.shl(i16x8.sub(d3, d1), 1);
      v128.store(y, i16x8.add(i16x8.shl(i16x8.sub(d0, d2), 2), even2));
      v128.store(y + toDown, i16x8.add(even, odd));
      v128.store(y + 2 * toDown, i16x8.sub(even, odd));
      v128.store(y + 3 * toDown, i16x8.add(even2, odd2));
      v128.store(y + 4 * toDown, i16x8.sub(even2, odd2));
      v128.store(y + 5 * toDown, i16x8.sub(i16x8.sub(d5, d3), i16x8.shl(odd2, 1)));
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
  const inverse = v128.load(INVERSE_9);
  do {
    for (let half: usize = 0; half < 32; half += 16) {
      let x = m + half;
      let to = first + half;
      for (let column = 0; column < IN; column++) {
        const m1 = v128.load(x + down);
        const m2 = v128.load(x + 2 * down);
        const m3 = v128.load(x + 3 * down);
        const m4 = v128.load(x + 4 * down);
        const sum1 = i32x4.add(m1, m2);
        const difference1 = i32x4.sub(m1, m2);
        const sum2 = i32x4.add(m3, m4);
        const difference2 = i32x4.sub(m3, m4);
        v128.store(to, i32x4.add(i32x4.add(v128.load(x), sum1), sum2));
        v128.store(to, i32x4.add(difference1, i32x4.shl(difference2, 1)), 192);
        v128.store(to, i32x4.add(sum1, i32x4.shl(sum2, 2)), 384);
        const last = i32x4.shl(v128.load(x + 5 * down), 1);
        v128.store(to, i32x4.add(i32x4.add(difference1, i32x4.shl(difference2, 3)), last), 576);
        x += mStep;
        to += 32;
      }
    }
    let from = first;
    let row = y;
    for (let i = 0; i < OUT; i++) {
      let m1 = v128.load(from, 32);
      let m2 = v128.load(from, 64);
      let m3 = v128.load(from, 96);
      let m4 = v128.load(from, 128);
      const low1 = i32x4.add(m1, m2);
      const lowD1 = i32x4.sub(m1, m2);
      const low2 = i32x4.add(m3, m4);
      const lowD2 = i32x4.sub(m3, m4);
      m1 = v128.load(from, 48);
      m2 = v128.load(from, 80);
      m3 = v128.load(from, 112);
      m4 = v128.load(from, 144);
      const high1 = i32x4.add(m1, m2);
      const highD1 = i32x4.sub(m1, m2);
      const high2 = i32x4.add(m3, m4);
      const highD2 = i32x4.sub(m3, m4);
      let out = row;
      let low = i32x4.add(i32x4.add(v128.load(from), low1), low2);
      let high = i32x4.add(i32x4.add(v128.load(from, 16), high1), high2);
      storePixel(out, low, high, bias, scale, lower, upper, inverse, bytes);
      out += yPixel;
      low = i32x4.add(lowD1, i32x4.shl(lowD2, 1));
      high = i32x4.add(highD1, i32x4.shl(highD2, 1));
      storePixel(out, low, high, bias, scale, lower, upper, inverse, bytes);
      out += yPixel;
      low = i32x4.add(low1, i32x4.shl(low2, 2));
      high = i32x4.add(high1, i32x4.shl(high2, 2));
      storePixel(out, low, high, bias, scale, lower, upper, inverse, bytes);
      out += yPixel;
      low = i32x4.add(i32x4.add(lowD1, i32x4.shl(lowD2, 3)), i32x4.shl(v128.load(from, 160), 1));
      high = i32x4.add(i32x4.add(highD1, i32x4.shl(highD2, 3)), i32x4.shl(v128.load(from, 176), 1));
      storePixel(out, low, high, bias, scale, lower, upper, inverse, bytes);
      from += 192;
      row += yRow;
    }
    m += 32;
    bias += 32;
    scale += 32;
    y += bytes;
  } while (bias < end);
}

/** 576 y of eight channels, modulo 2^32, to codes. */
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
  inverse: v128,
  bytes: usize,
): void {
  const first = i32x4.add(i32x4.shr_s(i32x4.mul(low, inverse), 6), v128.load(bias));
  const second = i32x4.add(i32x4.shr_s(i32x4.mul(high, inverse), 6), v128.load(bias, 16));
  storeCodes8(y, first, second, scale, lower, upper, bytes);
}
