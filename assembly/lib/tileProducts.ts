import { dot4x8 } from "./dot4x8";

/**
 * The products of Winograd's filtering: for each position p, sums[p] = inputs[p] · weights[p], s32.
 * inputs   s16  [positions][rows][bytes / 2], positions `inputStep` bytes apart; rows a multiple of 4
 * weights  s16  [positions][n/8][bytes/4][8][2]
 * sums     s32  [positions][rows][n]
 */
export function tileProducts(
  inputs: usize,
  inputStep: usize,
  rows: i32,
  bytes: usize,
  weights: usize,
  sums: usize,
  n: i32,
  positions: i32,
): void {
  const sumRow = <usize>n << 2;
  const sumStep = <usize>rows * sumRow;
  for (; positions; positions--) {
    const end = inputs + inputStep;
    for (let column = sums; column < sums + sumRow; column += 32) {
      let y = column;
      for (let x = inputs; x < end; x += bytes << 2) {
        dot4x8(x, x + bytes, x + 2 * bytes, x + 3 * bytes, bytes, weights, y, sumRow);
        y += sumRow << 2;
      }
      weights += bytes << 3;
    }
    inputs = end;
    sums += sumStep;
  }
}
