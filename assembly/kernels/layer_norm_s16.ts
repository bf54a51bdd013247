import { sumLanes } from "../lib/lanes";
import { rintClamp4, roundBound } from "../lib/round";

/**
 * y[i] = clamp(rint((x[i] − mean) / sqrt(var + eps) · qscale), ±2047), one mean and variance per row of d.
 * x     f32  [rows][d], d a multiple of 4; read only
 * yOff  u32  [rows] byte offsets: row i goes to y + yOff[i] as d s16 values
 * Two passes over a row; a lane sums its own residue class, so the order of additions is that of docs/numbers.md.
 * Twin: reference/layer_norm_s16.ts. Checked in: src/central.
 */
export function layer_norm_s16(
  x: usize,
  rows: i32,
  d: i32,
  eps: f32,
  qscale: f32,
  y: usize,
  yOff: usize,
): void {
  const rowBytes = <usize>d << 2;
  const inverse = <f32>1.0 / <f32>d;
  const scale = f32x4.splat(qscale);
  const lo = roundBound(-2047);
  const hi = roundBound(2047);
  for (const last = yOff + (<usize>rows << 2); yOff < last; yOff += 4) {
    const end = x + rowBytes;
    let sums = f32x4.splat(0);
    for (let p = x; p < end; p += 16) sums = f32x4.add(sums, v128.load(p));
    const mean = f32x4.splat(sumLanes(sums) * inverse);

    sums = f32x4.splat(0);
    for (let p = x; p < end; p += 16) {
      const t = f32x4.sub(v128.load(p), mean);
      sums = f32x4.add(sums, f32x4.mul(t, t));
    }
    const r = f32x4.splat(<f32>1.0 / sqrt<f32>(sumLanes(sums) * inverse + eps));

    let out = y + <usize>load<u32>(yOff);
    for (let p = x; p < end; p += 16) {
      const t = f32x4.sub(v128.load(p), mean);
      const q = rintClamp4(f32x4.mul(f32x4.mul(t, r), scale), lo, hi);
      v128.store64_lane(out, i16x8.narrow_i32x4_s(q, q), 0);
      out += 8;
    }
    x = end;
  }
}
