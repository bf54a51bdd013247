import { elementShift } from "../lib/outKind";
import { roundBound } from "../lib/round";
import { storeCodes8 } from "../lib/store";
import { MAGIC } from "../lib/vectors";

/** Bytes of the sums of one tile, which stand in scratch memory before the differences. */
const TILE: usize = 128;

/**
 * conv1d over time-major rows, two outputs at a time: with h taps times the stride between them, half the taps of one output
 * read what the other half of the other output reads, and three products do for four (Winograd's F(2, 2) over blocks of taps).
 *   d[j] = x[j] − x[j + h];  Q = Σ_{k<h} (w[k] + w[k + h]) · x[k + h];  L(y) = Σ_{k>=2h} w[k] · x[y + k]
 *   first = Q + Σ_{k<h} w[k] · d[k] + L(0);  second = Q − Σ_{k<h} w[k + h] · d[k + h] + L(h)
 * In integers and exact: the bits of igemm_s16.
 * a      s16  aBytes bytes of rows; int16 differences of values h rows apart must fit int16: codes up to ±16383
 * aOff   u32  [pairs] byte offsets of the first output's rows; pairs is a multiple of 4
 * half        bytes of h rows, rest: those of the other taps of an odd kernel; multiples of 4, not 0
 * b      s16  [n/8][(3·half + 2·rest)/4][8][2], packed by pack_conv1d_pairs
 * bias   s32  [n];  scale f32 [n];  n a multiple of 8
 * cOff   u32  [2][pairs]: rows of the first outputs, then of the second; pairs may overlap
 * outKind     of codes: 0, 1 or 2
 * scratch     aBytes + 144 bytes, 16-byte aligned
 * Range: sums may wrap on the way; the exporter keeps the last below 2^31.
 * Twin: reference/conv1d_pairs_s16.ts. Checked in: src/model.
 */
export function conv1d_pairs_s16(
  a: usize,
  aBytes: usize,
  aOff: usize,
  pairs: i32,
  half: usize,
  rest: usize,
  b: usize,
  bias: usize,
  scale: usize,
  c: usize,
  cOff: usize,
  n: i32,
  outKind: i32,
  lo: i32,
  hi: i32,
  scratch: usize,
): void {
  const d = scratch + TILE;
  subtractRows(a, half, d, d + aBytes - half);
  const panelOut = <usize>8 << elementShift(outKind);
  const lower = roundBound(lo);
  const upper = i16x8.splat(<i16>hi);
  const magic = v128.load(MAGIC);
  const tableBytes = <usize>pairs << 2;
  const aOffEnd = aOff + tableBytes;
  for (const biasEnd = bias + (<usize>n << 2); bias < biasEnd; bias += 32) {
    let w = b;
    let out = cOff;
    const scaleLow = v128.load(scale);
    const scaleHigh = v128.load(scale, 16);
    for (let row = aOff; row < aOffEnd; row += 16) {
      w = b;
      let s00 = v128.load(bias);
      let s01 = v128.load(bias, 16);
      let s10 = s00;
      let s11 = s01;
      let s20 = s00;
      let s21 = s01;
      let s30 = s00;
      let s31 = s01;
      for (let run = 0; run < 5; run++) {
        // Q; then the products of d and the last taps of the first output; then those of the second.
        const isLast = run == 2 || run == 4;
        const base = isLast ? a + half * <usize>(1 + (run >> 1)) : run == 0 ? a + half : d + half * <usize>(run >> 1);
        let a0 = base + <usize>load<u32>(row);
        let a1 = base + <usize>load<u32>(row, 4);
        let a2 = base + <usize>load<u32>(row, 8);
        let a3 = base + <usize>load<u32>(row, 12);
        if (run == 3) {
          s00 = v128.load(scratch);
          s01 = v128.load(scratch, 16);
          s10 = v128.load(scratch, 32);
          s11 = v128.load(scratch, 48);
          s20 = v128.load(scratch, 64);
          s21 = v128.load(scratch, 80);
          s30 = v128.load(scratch, 96);
          s31 = v128.load(scratch, 112);
        }
        const end = a0 + (isLast ? rest : half);
        do {
          const w0 = v128.load(w);
          const w1 = v128.load(w, 16);
          let x = v128.load32_splat(a0);
          s00 = i32x4.add(s00, i32x4.dot_i16x8_s(x, w0));
          s01 = i32x4.add(s01, i32x4.dot_i16x8_s(x, w1));
          x = v128.load32_splat(a1);
          s10 = i32x4.add(s10, i32x4.dot_i16x8_s(x, w0));
          s11 = i32x4.add(s11, i32x4.dot_i16x8_s(x, w1));
          x = v128.load32_splat(a2);
          s20 = i32x4.add(s20, i32x4.dot_i16x8_s(x, w0));
          s21 = i32x4.add(s21, i32x4.dot_i16x8_s(x, w1));
          x = v128.load32_splat(a3);
          s30 = i32x4.add(s30, i32x4.dot_i16x8_s(x, w0));
          s31 = i32x4.add(s31, i32x4.dot_i16x8_s(x, w1));
          a0 += 4;
          a1 += 4;
          a2 += 4;
          a3 += 4;
          w += 32;
        } while (a0 < end);
        if (run == 0) {
          v128.store(scratch, s00);
          v128.store(scratch, s01, 16);
          v128.store(scratch, s10, 32);
          v128.store(scratch, s11, 48);
          v128.store(scratch, s20, 64);
          v128.store(scratch, s21, 80);
          v128.store(scratch, s30, 96);
          v128.store(scratch, s31, 112);
        }
        if (isLast) {
          const rows = run == 2 ? out : out + tableBytes;
          storeCodes8(c + <usize>load<u32>(rows), s00, s01, scaleLow, scaleHigh, lower, upper, magic, panelOut);
          storeCodes8(c + <usize>load<u32>(rows, 4), s10, s11, scaleLow, scaleHigh, lower, upper, magic, panelOut);
          storeCodes8(c + <usize>load<u32>(rows, 8), s20, s21, scaleLow, scaleHigh, lower, upper, magic, panelOut);
          storeCodes8(c + <usize>load<u32>(rows, 12), s30, s31, scaleLow, scaleHigh, lower, upper, magic, panelOut);
        }
      }
      out += 16;
    }
    b = w;
    scale += 32;
    c += panelOut;
  }
}

/** d = a − a[half bytes on], up to `end` of d. */
function subtractRows(a: usize, half: usize, d: usize, end: usize): void {
  for (; d < end; d += 16) {
    v128.store(d, i16x8.sub(v128.load(a), v128.load(a + half)));
    a += 16;
  }
}
