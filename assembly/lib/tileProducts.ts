import { dot3x16, dot4x16 } from "./dot4x16";
import { dot3x8, dot4x8 } from "./dot4x8";

/**
 * Bytes between the rows of one position and the next: room for a vector that ends behind them, and a distance that is no
 * multiple of what a cache's sets repeat after (V8, Zen 4: the transforms of layers 64 wide take half the time).
 */
export const POSITION_PAD: usize = 64;

/**
 * The products of Winograd's filtering: for each position p, sums[p] = inputs[p] · weights[p], s32.
 * inputs   s16  [positions][rows][bytes / 2], positions `inputStep` bytes apart; rows a multiple of 4
 * weights  s16  [positions][n/8][bytes/4][8][2]
 * sums     s32  [positions][rows][n], positions `sumStep` bytes apart
 * count         rows that matter, up to three fewer than `rows`: those go three at a time where that makes it come out even,
 *               else all are computed
 */
export function tileProducts(
  inputs: usize,
  inputStep: usize,
  rows: i32,
  count: i32,
  bytes: usize,
  weights: usize,
  sums: usize,
  sumStep: usize,
  n: i32,
  positions: i32,
): void {
  const sumRow = <usize>n << 2;
  const short = rows - count;
  const threes = 3 * short <= count ? 3 * short : 0; // 4 a + 3 short = count
  const foursBytes = <usize>(threes ? count - threes : rows) * bytes;
  const threesBytes = <usize>threes * bytes;
  for (; positions; positions--) {
    for (let column = sums; column < sums + sumRow; column += 32) {
      let x = inputs;
      let y = column;
      for (const end = x + foursBytes; x < end; x += bytes << 2) {
        dot4x8(x, x + bytes, x + 2 * bytes, x + 3 * bytes, bytes, weights, y, sumRow);
        y += sumRow << 2;
      }
      for (const end = x + threesBytes; x < end; x += 3 * bytes) {
        dot3x8(x, x + bytes, x + 2 * bytes, bytes, weights, y, sumRow);
        y += 3 * sumRow;
      }
      weights += bytes << 3;
    }
    inputs += inputStep;
    sums += sumStep;
  }
}

/**
 * The same, two panels at a time: for engines that pair 128-bit operations into 256-bit ones. The last pair holds the panel
 * before it again where their number is odd; n is 16 at least. A function of its own, because both loops in one cost the narrow
 * one a hundredth (V8, Zen 4).
 */
export function tileProducts4x16(
  inputs: usize,
  inputStep: usize,
  rows: i32,
  count: i32,
  bytes: usize,
  weights: usize,
  sums: usize,
  sumStep: usize,
  n: i32,
  positions: i32,
): void {
  const sumRow = <usize>n << 2;
  const short = rows - count;
  const threes = 3 * short <= count ? 3 * short : 0; // 4 a + 3 short = count
  const foursBytes = <usize>(threes ? count - threes : rows) * bytes;
  const threesBytes = <usize>threes * bytes;
  for (; positions; positions--) {
    let column = sums;
    for (let left = n; left > 0; left -= 16) {
      if (left < 16) {
        column -= 32;
        weights -= bytes << 3;
      }
      let x = inputs;
      let y = column;
      for (const end = x + foursBytes; x < end; x += bytes << 2) {
        dot4x16(x, x + bytes, x + 2 * bytes, x + 3 * bytes, bytes, weights, y, sumRow);
        y += sumRow << 2;
      }
      for (const end = x + threesBytes; x < end; x += 3 * bytes) {
        dot3x16(x, x + bytes, x + 2 * bytes, bytes, weights, y, sumRow);
        y += 3 * sumRow;
      }
      column += 64;
      weights += bytes << 4;
    }
    inputs += inputStep;
    sums += sumStep;
  }
}
