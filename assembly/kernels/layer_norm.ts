import { sumLanes } from "../lib/lanes";
import { elementShift } from "../lib/outKind";
import { roundBound } from "../lib/round";
import { storeShifted8 } from "../lib/store";
import { MAGIC } from "../lib/vectors";

/**
 * y[i] = clamp(rint((x[i] − mean) / sqrt(var + eps) · scale[i]) + zero[i], lo, hi), one mean and variance per row of d.
 * x     f32  [rows][d], d a multiple of 4; read only
 * scale f32  [d];  zero s32 [d], ±2047
 * yOff  u32  [rows] byte offsets: row i goes to y + yOff[i] as d values of outKind (lib/outKind.ts; not f32)
 * A lane sums its own residue class, so the order of additions is that of docs/numbers.md; as each waits for the one
 * before, four rows are summed side by side (V8, Zen 5: 0.65 of the time in Node 26, 0.8 in Node 20). Rows that fill no block go one by one.
 * Twin: reference/layer_norm.ts. Checked in: src/central.
 */
export function layer_norm(
  x: usize,
  rows: i32,
  d: i32,
  eps: f32,
  scale: usize,
  zero: usize,
  outKind: i32,
  lo: i32,
  hi: i32,
  y: usize,
  yOff: usize,
): void {
  const shift = elementShift(outKind);
  const rowBytes = <usize>d << 2;
  const inverse = <f32>1.0 / <f32>d;
  for (; rows >= 4; rows -= 4) {
    normaliseFour(x, rowBytes, inverse, eps, scale, zero, lo, hi, shift, y, yOff);
    x += rowBytes << 2;
    yOff += 16;
  }
  for (; rows > 0; rows--) {
    const mean = sumLanes(sum(x, rowBytes)) * inverse;
    const r = <f32>1.0 / sqrt<f32>(sumLanes(squares(x, rowBytes, mean)) * inverse + eps);
    writeRow(x, rowBytes, mean, r, scale, zero, lo, hi, shift, y + <usize>load<u32>(yOff));
    x += rowBytes;
    yOff += 4;
  }
}

function normaliseFour(
  x: usize,
  rowBytes: usize,
  inverse: f32,
  eps: f32,
  scale: usize,
  zero: usize,
  lo: i32,
  hi: i32,
  shift: usize,
  y: usize,
  yOff: usize,
): void {
  const end = x + rowBytes;
  let x0 = x;
  let x1 = x + rowBytes;
  let x2 = x1 + rowBytes;
  let x3 = x2 + rowBytes;
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  do {
    s0 = f32x4.add(s0, v128.load(x0));
    s1 = f32x4.add(s1, v128.load(x1));
    s2 = f32x4.add(s2, v128.load(x2));
    s3 = f32x4.add(s3, v128.load(x3));
    x0 += 16;
    x1 += 16;
    x2 += 16;
    x3 += 16;
  } while (x0 < end);
  const mean0 = sumLanes(s0) * inverse;
  const mean1 = sumLanes(s1) * inverse;
  const mean2 = sumLanes(s2) * inverse;
  const mean3 = sumLanes(s3) * inverse;
  const m0 = f32x4.splat(mean0);
  const m1 = f32x4.splat(mean1);
  const m2 = f32x4.splat(mean2);
  const m3 = f32x4.splat(mean3);
  s0 = f32x4.splat(0);
  s1 = s0;
  s2 = s0;
  s3 = s0;
  x0 = x;
  x1 = x + rowBytes;
  x2 = x1 + rowBytes;
  x3 = x2 + rowBytes;
  do {
    const t0 = f32x4.sub(v128.load(x0), m0);
    const t1 = f32x4.sub(v128.load(x1), m1);
    const t2 = f32x4.sub(v128.load(x2), m2);
    const t3 = f32x4.sub(v128.load(x3), m3);
    s0 = f32x4.add(s0, f32x4.mul(t0, t0));
    s1 = f32x4.add(s1, f32x4.mul(t1, t1));
    s2 = f32x4.add(s2, f32x4.mul(t2, t2));
    s3 = f32x4.add(s3, f32x4.mul(t3, t3));
    x0 += 16;
    x1 += 16;
    x2 += 16;
    x3 += 16;
  } while (x0 < end);
  const r0 = <f32>1.0 / sqrt<f32>(sumLanes(s0) * inverse + eps);
  const r1 = <f32>1.0 / sqrt<f32>(sumLanes(s1) * inverse + eps);
  const r2 = <f32>1.0 / sqrt<f32>(sumLanes(s2) * inverse + eps);
  const r3 = <f32>1.0 / sqrt<f32>(sumLanes(s3) * inverse + eps);
  writeRow(x, rowBytes, mean0, r0, scale, zero, lo, hi, shift, y + <usize>load<u32>(yOff));
  x += rowBytes;
  writeRow(x, rowBytes, mean1, r1, scale, zero, lo, hi, shift, y + <usize>load<u32>(yOff, 4));
  x += rowBytes;
  writeRow(x, rowBytes, mean2, r2, scale, zero, lo, hi, shift, y + <usize>load<u32>(yOff, 8));
  x += rowBytes;
  writeRow(x, rowBytes, mean3, r3, scale, zero, lo, hi, shift, y + <usize>load<u32>(yOff, 12));
}

/** Lanes' sums of a row. */
function sum(x: usize, rowBytes: usize): v128 {
  let sums = f32x4.splat(0);
  for (const end = x + rowBytes; x < end; x += 16) sums = f32x4.add(sums, v128.load(x));
  return sums;
}

/** Lanes' sums of squared distances from the mean. */
function squares(x: usize, rowBytes: usize, mean: f32): v128 {
  const m = f32x4.splat(mean);
  let sums = f32x4.splat(0);
  for (const end = x + rowBytes; x < end; x += 16) {
    const t = f32x4.sub(v128.load(x), m);
    sums = f32x4.add(sums, f32x4.mul(t, t));
  }
  return sums;
}

/** One row of codes, two vectors a step; four values are left where d is no multiple of 8. */
function writeRow(
  x: usize,
  rowBytes: usize,
  mean: f32,
  factor: f32,
  scale: usize,
  zero: usize,
  lo: i32,
  hi: i32,
  shift: usize,
  out: usize,
): void {
  const m = f32x4.splat(mean);
  const r = f32x4.splat(factor);
  const lower = roundBound(lo);
  const upper = i16x8.splat(<i16>hi);
  const magic = v128.load(MAGIC);
  const bytes = <usize>8 << shift;
  const end = x + rowBytes;
  for (const whole = x + (rowBytes & ~31); x < whole; x += 32) {
    const p = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(x), m), r), v128.load(scale));
    const q = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(x, 16), m), r), v128.load(scale, 16));
    storeShifted8(out, p, q, zero, lower, upper, magic, bytes);
    out += bytes;
    scale += 32;
    zero += 32;
  }
  if (x < end) {
    let p = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(x), m), r), v128.load(scale));
    p = i32x4.add(f32x4.add(p, magic), v128.load(zero));
    p = i32x4.sub(i32x4.max_s(p, lower), magic);
    const codes = i16x8.min_s(i16x8.narrow_i32x4_s(p, p), upper);
    if (shift) v128.store64_lane(out, codes, 0);
    else v128.store32_lane(out, i8x16.narrow_i16x8_u(codes, codes), 0);
  }
}
