import { elementShift } from "../lib/outKind";
import { storeSum } from "../lib/store";

/**
 * Scalar twins of kernels/winograd3x3_s16.ts and kernels/winograd2x2_s16.ts, the same arguments and bits: one tile at a
 * time, both transforms as products with the matrices of the papers. Their scratch holds V of one tile, then one channel's
 * products and half-transformed values.
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
  const shift = elementShift(outKind);
  for (let t: usize = 0; t < <usize>tiles << 2; t += 4) {
    transformTile(a + load<u32>(aOff + t), aRow, channels, INPUT_6, 6, scratch);
    for (let o = 0; o < n; o++) {
      const sums = products(scratch, channels, b, o, n, OUTPUT_4, 6, 4);
      const y = c + load<u32>(cOff + t) + (<usize>o << shift);
      for (let i: usize = 0; i < 4; i++) {
        for (let j: usize = 0; j < 4; j++) {
          const whole = load<i32>(sums + ((4 * i + j) << 2)) * INVERSE_9;
          const sum = (whole >> 6) + load<i32>(bias + (<usize>o << 2));
          storeSum(y + i * cRow + j * cPixel, sum, load<f32>(scale + (<usize>o << 2)), outKind, lo, hi);
        }
      }
    }
  }
}

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
  const shift = elementShift(outKind);
  for (let t: usize = 0; t < <usize>tiles << 2; t += 4) {
    transformTile(a + load<u32>(aOff + t), aRow, channels, INPUT_4, 4, scratch);
    for (let o = 0; o < n; o++) {
      const sums = products(scratch, channels, b, o, n, OUTPUT_3, 4, 3);
      const y = c + load<u32>(cOff + t) + (<usize>o << shift);
      for (let i: usize = 0; i < 3; i++) {
        for (let j: usize = 0; j < 3; j++) {
          const sum = (load<i32>(sums + ((3 * i + j) << 2)) >> 2) + load<i32>(bias + (<usize>o << 2));
          storeSum(y + i * cRow + j * cPixel, sum, load<f32>(scale + (<usize>o << 2)), outKind, lo, hi);
        }
      }
    }
  }
}

/** 9 · INVERSE_9 = 1 mod 2^32. */
const INVERSE_9: i32 = 954437177;

/** Bᵀ for the points 0, 1, −1, 2, −2, ∞. */
const INPUT_6: usize = memory.data<i32>([
  4, 0, -5, 0, 1, 0,
  0, -4, -4, 1, 1, 0,
  0, 4, -4, -1, 1, 0,
  0, -2, -1, 2, 1, 0,
  0, 2, -1, -2, 1, 0,
  0, 4, 0, -5, 0, 1,
]);

/** Aᵀ; its last column is twice the papers', as the weights' last row is half of 24 G's. */
const OUTPUT_4: usize = memory.data<i32>([
  1, 1, 1, 1, 1, 0,
  0, 1, -1, 2, -2, 0,
  0, 1, 1, 4, 4, 0,
  0, 1, -1, 8, -8, 2,
]);

/** Bᵀ for the points 0, 1, −1, ∞. */
const INPUT_4: usize = memory.data<i32>([
  -1, 0, 1, 0,
  0, 1, 1, 0,
  0, -1, 1, 0,
  0, -1, 0, 1,
]);

const OUTPUT_3: usize = memory.data<i32>([
  1, 1, 1, 0,
  0, 1, -1, 0,
  0, 1, 1, 1,
]);

/** V = Bᵀ x B of all channels of one tile: s16 [size · size][channels]. */
function transformTile(x: usize, xRow: usize, channels: i32, matrix: usize, size: usize, v: usize): void {
  const pixel = <usize>channels << 1;
  for (let p: usize = 0; p < size * size; p++) {
    const down = matrix + (((p / size) * size) << 2);
    const across = matrix + (((p % size) * size) << 2);
    for (let k: usize = 0; k < pixel; k += 2) {
      let sum: i32 = 0;
      for (let i: usize = 0; i < size; i++) {
        const weight = load<i32>(down + (i << 2));
        if (weight == 0) continue;
        let line: i32 = 0;
        for (let j: usize = 0; j < size; j++) {
          line += load<i32>(across + (j << 2)) * <i32>load<i16>(x + i * xRow + j * pixel + k);
        }
        sum += weight * line;
      }
      store<i16>(v + p * pixel + k, sum);
    }
  }
}

/** Aᵀ (U ∘ V) A of output channel `o`, s32 [out][out]; returns its address, behind V. */
function products(
  v: usize,
  channels: i32,
  b: usize,
  o: i32,
  n: i32,
  matrix: usize,
  size: usize,
  out: usize,
): usize {
  const positions = size * size;
  const pixel = <usize>channels << 1;
  const m = (v + positions * pixel + 3) & ~3;
  for (let p: usize = 0; p < positions; p++) {
    const panel = (p * <usize>(n >> 3) + <usize>(o >> 3)) * (pixel << 3) + (<usize>(o & 7) << 2);
    let sum: i32 = 0;
    for (let k: usize = 0; k < pixel; k += 4) {
      const w = b + panel + (k << 3);
      const x = v + p * pixel + k;
      sum += <i32>load<i16>(x) * <i32>load<i16>(w) + <i32>load<i16>(x, 2) * <i32>load<i16>(w, 2);
    }
    store<i32>(m + (p << 2), sum);
  }
  const y = m + (positions << 2);
  for (let i: usize = 0; i < out; i++) {
    for (let j: usize = 0; j < out; j++) {
      let sum: i32 = 0;
      for (let p: usize = 0; p < positions; p++) {
        const weight = load<i32>(matrix + ((i * size + p / size) << 2)) * load<i32>(matrix + ((j * size + (p % size)) << 2));
        sum += weight * load<i32>(m + (p << 2));
      }
      store<i32>(y + ((i * out + j) << 2), sum);
    }
  }
  return y;
}
