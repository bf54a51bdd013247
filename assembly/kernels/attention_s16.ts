import { dot4x8 } from "../lib/dot4x8";
import { expRow } from "../lib/exp";
import { maxLanes, sumLanes } from "../lib/lanes";
import { rintClamp4 } from "../lib/round";
import { HIGHEST_S16, LOWEST_S16, MAGIC } from "../lib/vectors";

/** The probability code of 1. */
const PROBABILITY_ONE: f32 = 16383.0;

/**
 * y = softmax(q · kᵀ · scoreScale) · v · outScale per head, int16 in and out; softmax in f32 with 14-bit probabilities.
 * q, y  s16  head h of row i at + i·stride + h·headDim·2; tq rows, any number
 * k, v  s16  the same with tk rows; tk and headDim are multiples of 8
 * scratch    attentionScratchBytes(tk, headDim) bytes (src/engine/kernels.ts), 16-byte aligned: one head's keys as
 *            [tk/8][headDim/2][8][2] and values as [headDim/8][tk/2][8][2], so that both products run on lib/dot4x8; then
 *            four rows of scores (s32, then f32 in place), four rows of probabilities (s16; before
 *            them, of one row's exponentials, what expRow leaves between its passes) and one 4x8 tile
 * scoreScale >= 0.
 * Range: |q·k| sums stay below 2^31 for headDim <= 512; Σ p·v below 2^26.
 * Tail: a last block of fewer than four queries repeats the last query and stores it again.
 * Twin: reference/attention_s16.ts. Checked in: src/central.
 */
export function attention_s16(
  q: usize,
  qStride: usize,
  k: usize,
  kStride: usize,
  v: usize,
  vStride: usize,
  tq: i32,
  tk: i32,
  heads: i32,
  headDim: i32,
  scoreScale: f32,
  outScale: f32,
  scratch: usize,
  y: usize,
  yStride: usize,
): void {
  const headBytes = <usize>headDim << 1;
  const keys = scratch;
  const values = keys + <usize>tk * headBytes;
  const scores = values + <usize>tk * headBytes;
  const scoreBytes = <usize>tk << 2;
  const probabilities = scores + (scoreBytes << 2);
  const tile = probabilities + (scoreBytes << 1);
  for (let head = 0; head < heads; head++) {
    packKeys(k, kStride, tk, headDim, keys);
    packValues(v, vStride, tk, headDim, values);
    for (let i = 0; i < tq; i += 4) {
      const i0 = <usize>i;
      const i1 = <usize>min(i + 1, tq - 1);
      const i2 = <usize>min(i + 2, tq - 1);
      const i3 = <usize>min(i + 3, tq - 1);
      scoreBlock(
        q + i0 * qStride,
        q + i1 * qStride,
        q + i2 * qStride,
        q + i3 * qStride,
        headBytes,
        keys,
        scores,
        scoreBytes,
      );
      // All exponentials before all divisions: a row's sum and quotient then wait beside the next row's work.
      for (let r: usize = 0; r < 4; r++) {
        store<f32>(tile + (r << 2), exponentials(scores + r * scoreBytes, scoreBytes, scoreScale, probabilities));
      }
      for (let r: usize = 0; r < 4; r++) {
        normalise(scores + r * scoreBytes, probabilities + r * (scoreBytes >> 1), scoreBytes, load<f32>(tile + (r << 2)));
      }
      weightBlock(
        probabilities,
        scoreBytes >> 1,
        values,
        headBytes,
        outScale,
        tile,
        y + i0 * yStride,
        y + i1 * yStride,
        y + i2 * yStride,
        y + i3 * yStride,
      );
    }
    q += headBytes;
    k += headBytes;
    v += headBytes;
    y += headBytes;
  }
}

/** Keys of one head to [tk/8][headDim/2][8][2]: 4x4 transposes of pairs. */
function packKeys(k: usize, kStride: usize, tk: i32, headDim: i32, packed: usize): void {
  for (let panel = 0; panel < tk; panel += 8) {
    for (let half: usize = 0; half < 32; half += 16) {
      let k0 = k;
      let k1 = k + kStride;
      let k2 = k1 + kStride;
      let k3 = k2 + kStride;
      let out = packed + half;
      for (let c = 0; c < headDim; c += 8) {
        const r0 = v128.load(k0);
        const r1 = v128.load(k1);
        const r2 = v128.load(k2);
        const r3 = v128.load(k3);
        const low01 = i32x4.shuffle(r0, r1, 0, 4, 1, 5);
        const low23 = i32x4.shuffle(r2, r3, 0, 4, 1, 5);
        const high01 = i32x4.shuffle(r0, r1, 2, 6, 3, 7);
        const high23 = i32x4.shuffle(r2, r3, 2, 6, 3, 7);
        v128.store(out, i64x2.shuffle(low01, low23, 0, 2));
        v128.store(out, i64x2.shuffle(low01, low23, 1, 3), 32);
        v128.store(out, i64x2.shuffle(high01, high23, 0, 2), 64);
        v128.store(out, i64x2.shuffle(high01, high23, 1, 3), 96);
        k0 += 16;
        k1 += 16;
        k2 += 16;
        k3 += 16;
        out += 128;
      }
      k += kStride << 2;
    }
    packed += <usize>headDim << 4;
  }
}

/** Values of one head to [headDim/8][tk/2][8][2]: rows 2j and 2j + 1 interleaved. */
function packValues(v: usize, vStride: usize, tk: i32, headDim: i32, packed: usize): void {
  for (let c = 0; c < headDim; c += 8) {
    let row = v + (<usize>c << 1);
    for (let j = 0; j < tk; j += 2) {
      const even = v128.load(row);
      const odd = v128.load(row + vStride);
      v128.store(packed, i16x8.shuffle(even, odd, 0, 8, 1, 9, 2, 10, 3, 11));
      v128.store(packed, i16x8.shuffle(even, odd, 4, 12, 5, 13, 6, 14, 7, 15), 16);
      row += vStride << 1;
      packed += 32;
    }
  }
}

/** Four rows of int32 scores against all keys. */
function scoreBlock(
  q0: usize,
  q1: usize,
  q2: usize,
  q3: usize,
  headBytes: usize,
  keys: usize,
  scores: usize,
  scoreBytes: usize,
): void {
  for (const end = scores + scoreBytes; scores < end; scores += 32) {
    dot4x8(q0, q1, q2, q3, headBytes, keys, scores, scoreBytes);
    keys += headBytes << 3;
  }
}

/** One row of int32 scores to exponentials, f32 in their place; returns what makes codes of them. */
function exponentials(scores: usize, scoreBytes: usize, scoreScale: f32, scratch: usize): f32 {
  const end = scores + scoreBytes;
  const shift = f32x4.splat(<f32>largestOf(scores, end) * scoreScale); // scaling keeps the order: scoreScale >= 0
  return PROBABILITY_ONE / sumLanes(expRow(scores, end, f32x4.splat(scoreScale), shift, scratch));
}

/** A row of exponentials to 14-bit probabilities. */
function normalise(scores: usize, probabilities: usize, scoreBytes: usize, factor: f32): void {
  const end = scores + scoreBytes;
  const r = f32x4.splat(factor);
  const magic = v128.load(MAGIC);
  for (let p = scores; p < end; p += 32) {
    // 0 <= e · r <= 16383, so the low half of each rounded f32's bits is the code: no clamp, no subtraction.
    const first = f32x4.add(f32x4.mul(v128.load(p), r), magic);
    const second = f32x4.add(f32x4.mul(v128.load(p, 16), r), magic);
    v128.store(probabilities, i16x8.shuffle(first, second, 0, 2, 4, 6, 8, 10, 12, 14));
    probabilities += 16;
  }
}

/** Largest of a row of int32, a multiple of eight values up to `end`. */
function largestOf(row: usize, end: usize): i32 {
  let first = v128.load(row);
  let second = v128.load(row, 16);
  for (row += 32; row < end; row += 32) {
    first = i32x4.max_s(first, v128.load(row));
    second = i32x4.max_s(second, v128.load(row, 16));
  }
  return maxLanes(i32x4.max_s(first, second));
}

/** Four rows of probabilities times the values of one head, requantised to the rows y0..y3. */
function weightBlock(
  probabilities: usize,
  rowBytes: usize,
  values: usize,
  headBytes: usize,
  outScale: f32,
  tile: usize,
  y0: usize,
  y1: usize,
  y2: usize,
  y3: usize,
): void {
  const p1 = probabilities + rowBytes;
  const p2 = p1 + rowBytes;
  const p3 = p2 + rowBytes;
  for (let c: usize = 0; c < headBytes; c += 16) {
    dot4x8(probabilities, p1, p2, p3, rowBytes, values, tile, 32);
    requantise8(tile, outScale, y0 + c);
    requantise8(tile + 32, outScale, y1 + c);
    requantise8(tile + 64, outScale, y2 + c);
    requantise8(tile + 96, outScale, y3 + c);
    values += rowBytes << 3;
  }
}

// @ts-ignore: decorator
@inline
function requantise8(sums: usize, outScale: f32, y: usize): void {
  const scale = f32x4.splat(outScale);
  const lo = v128.load(LOWEST_S16);
  const hi = v128.load(HIGHEST_S16);
  const first = f32x4.mul(f32x4.convert_i32x4_s(v128.load(sums)), scale);
  const second = f32x4.mul(f32x4.convert_i32x4_s(v128.load(sums, 16)), scale);
  v128.store(y, i16x8.narrow_i32x4_s(rintClamp4(first, lo, hi), rintClamp4(second, lo, hi)));
}
