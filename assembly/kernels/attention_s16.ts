import { expRows } from "../lib/exp";
import { maxLanes4, storeColumns, sumLanes4 } from "../lib/lanes";
import { elementShift } from "../lib/outKind";
import { quad4x8, quadCodes4x8 } from "../lib/quad4x8";
import { roundBound } from "../lib/round";
import { MAGIC } from "../lib/vectors";

/** The probability code of 1. */
const PROBABILITY_ONE: f32 = 16383.0;

/**
 * y = clamp(rint(softmax(q · kᵀ · scoreScale) · v · scale) + zero, lo, hi) per head; softmax in f32 with 14-bit probabilities.
 * q     s16  head h of row i at + i·stride + h·headDim·2; tq rows, any number
 * k, v  s16  the same with tk rows; tk and headDim are multiples of 8
 * scale f32, zero s32 (±2047)  [heads][headDim]
 * y          as outKind says (s16 or u7), channel c of row i at + i·stride + c·(element size)
 * scratch    attentionScratchBytes(tk, headDim) bytes (src/engine/kernels.ts), 16-byte aligned: one head's keys as
 *            [tk/8][headDim/2][8][2] and values as [headDim/8][tk/8][4][8][2], where rows j and j + 4 of eight are a pair,
 *            so that both products run on lib/quad4x8; then, of a block of four queries, scores (s32, then f32 in place) as
 *            [tk/8][4][8], as much again for the powers of expRows and then the probabilities as [tk/8][4][4][2], and once more
 *            for its polynomials; queries as [headDim/2][4][2]; and 80 bytes of sums and shifts of four rows
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
  scale: usize,
  zero: usize,
  outKind: i32,
  lo: i32,
  hi: i32,
  scratch: usize,
  y: usize,
  yStride: usize,
): void {
  const shift = elementShift(outKind);
  const headBytes = <usize>headDim << 1;
  const keys = scratch;
  const values = keys + <usize>tk * headBytes;
  const scores = values + <usize>tk * headBytes;
  const blockBytes = <usize>tk << 4;
  const probabilities = scores + blockBytes;
  const queries = scores + 3 * blockBytes;
  const lanes = queries + (headBytes << 2);
  for (let head = 0; head < heads; head++) {
    packKeys(k, kStride, tk, headDim, keys);
    packValues(v, vStride, tk, headDim, values);
    for (let i = 0; i < tq; i += 4) {
      const i0 = <usize>i;
      const i1 = <usize>min(i + 1, tq - 1);
      const i2 = <usize>min(i + 2, tq - 1);
      const i3 = <usize>min(i + 3, tq - 1);
      packQueries(q + i0 * qStride, q + i1 * qStride, q + i2 * qStride, q + i3 * qStride, headBytes, queries);
      scoreBlock(queries, headBytes << 2, keys, scores, blockBytes);
      softmaxBlock(scores, blockBytes, scoreScale, probabilities, lanes);
      weightBlock(
        probabilities,
        blockBytes >> 1,
        values,
        headDim,
        scale,
        zero,
        lo,
        hi,
        shift,
        y + i0 * yStride,
        y + i1 * yStride,
        y + i2 * yStride,
        y + i3 * yStride,
      );
    }
    q += headBytes;
    k += headBytes;
    v += headBytes;
    scale += headBytes << 1;
    zero += headBytes << 1;
    y += <usize>headDim << shift;
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

/** Values of one head to [headDim/8][tk/8][4][8][2]: of eight rows, j and j + 4 interleaved. */
function packValues(v: usize, vStride: usize, tk: i32, headDim: i32, packed: usize): void {
  const four = vStride << 2;
  for (let c = 0; c < headDim; c += 8) {
    let row = v + (<usize>c << 1);
    for (let j = 0; j < tk; j += 8) {
      for (const end = row + four; row < end; row += vStride) {
        const first = v128.load(row);
        const second = v128.load(row + four);
        v128.store(packed, i16x8.shuffle(first, second, 0, 8, 1, 9, 2, 10, 3, 11));
        v128.store(packed, i16x8.shuffle(first, second, 4, 12, 5, 13, 6, 14, 7, 15), 16);
        packed += 32;
      }
      row += four;
    }
  }
}

/** One head of four queries to [headDim/2][4][2]. */
function packQueries(q0: usize, q1: usize, q2: usize, q3: usize, headBytes: usize, packed: usize): void {
  for (const end = q0 + headBytes; q0 < end; q0 += 16) {
    storeColumns(v128.load(q0), v128.load(q1), v128.load(q2), v128.load(q3), packed);
    q1 += 16;
    q2 += 16;
    q3 += 16;
    packed += 64;
  }
}

/** Four queries against all keys, int32 scores. */
function scoreBlock(queries: usize, queryBytes: usize, keys: usize, scores: usize, blockBytes: usize): void {
  for (const end = scores + blockBytes; scores < end; scores += 128) {
    quad4x8(queries, queryBytes, keys, scores);
    keys += queryBytes << 1;
  }
}

/** A block's scores to probabilities; `lanes` holds four rows' shifts, later factors, and the sums of their lanes. */
function softmaxBlock(scores: usize, blockBytes: usize, scoreScale: f32, probabilities: usize, lanes: usize): void {
  const end = scores + blockBytes;
  const sums = lanes + 16;
  shiftsOf(scores, end, scoreScale, lanes);
  expRows(scores, end, scoreScale, lanes, probabilities, probabilities + blockBytes, sums);
  factorsOf(sums, lanes);
  normalise(scores, end, lanes, probabilities);
}

/** Each row's largest score, scaled: that keeps the order, as scoreScale >= 0. */
function shiftsOf(scores: usize, end: usize, scoreScale: f32, shifts: usize): void {
  let r0 = v128.load(scores);
  let r1 = v128.load(scores, 32);
  let r2 = v128.load(scores, 64);
  let r3 = v128.load(scores, 96);
  do {
    r0 = i32x4.max_s(r0, i32x4.max_s(v128.load(scores), v128.load(scores, 16)));
    r1 = i32x4.max_s(r1, i32x4.max_s(v128.load(scores, 32), v128.load(scores, 48)));
    r2 = i32x4.max_s(r2, i32x4.max_s(v128.load(scores, 64), v128.load(scores, 80)));
    r3 = i32x4.max_s(r3, i32x4.max_s(v128.load(scores, 96), v128.load(scores, 112)));
    scores += 128;
  } while (scores < end);
  v128.store(shifts, f32x4.mul(f32x4.convert_i32x4_s(maxLanes4(r0, r1, r2, r3)), f32x4.splat(scoreScale)));
}

/** What makes codes of each row's exponentials. */
function factorsOf(sums: usize, factors: usize): void {
  const rows = sumLanes4(v128.load(sums), v128.load(sums, 16), v128.load(sums, 32), v128.load(sums, 48));
  v128.store(factors, f32x4.div(f32x4.splat(PROBABILITY_ONE), rows));
}

/** A block of exponentials to 14-bit probabilities, columns j and j + 4 of eight a pair. */
function normalise(scores: usize, end: usize, factors: usize, probabilities: usize): void {
  const f0 = v128.load32_splat(factors);
  const f1 = v128.load32_splat(factors, 4);
  const f2 = v128.load32_splat(factors, 8);
  const f3 = v128.load32_splat(factors, 12);
  const magic = v128.load(MAGIC);
  do {
    storeColumns(
      codePairs(v128.load(scores), v128.load(scores, 16), f0, magic),
      codePairs(v128.load(scores, 32), v128.load(scores, 48), f1, magic),
      codePairs(v128.load(scores, 64), v128.load(scores, 80), f2, magic),
      codePairs(v128.load(scores, 96), v128.load(scores, 112), f3, magic),
      probabilities,
    );
    scores += 128;
    probabilities += 64;
  } while (scores < end);
}

/** 0 <= e · factor <= 16383, so the low half of each rounded f32's bits is the code: no clamp, no subtraction. */
// @ts-ignore: decorator
@inline
function codePairs(low: v128, high: v128, factor: v128, magic: v128): v128 {
  const first = f32x4.add(f32x4.mul(low, factor), magic);
  const second = i32x4.shl(f32x4.add(f32x4.mul(high, factor), magic), 16);
  return i16x8.shuffle(first, second, 0, 9, 2, 11, 4, 13, 6, 15);
}

/** Four rows of probabilities times the values of one head, requantised to the rows y0..y3. */
function weightBlock(
  probabilities: usize,
  bytes: usize,
  values: usize,
  headDim: i32,
  scale: usize,
  zero: usize,
  lo: i32,
  hi: i32,
  shift: usize,
  y0: usize,
  y1: usize,
  y2: usize,
  y3: usize,
): void {
  const lower = roundBound(lo);
  const upper = i16x8.splat(<i16>hi);
  const magic = v128.load(MAGIC);
  const step = <usize>8 << shift;
  for (let out: usize = 0; out < <usize>headDim << shift; out += step) {
    quadCodes4x8(
      probabilities, bytes, values, scale, zero, lower, upper, magic, step, y0 + out, y1 + out, y2 + out, y3 + out,
    );
    values += bytes << 1;
    scale += 32;
    zero += 32;
  }
}
