/**
 * OpenFWI's scheme in float64 for any survey, written as its published code is: three pressure
 * fields, modulo indices, one damping field. Slow; the check of layouts that the golden vectors,
 * all of one size, do not reach.
 */
import { ricker } from "../../src/physics/ricker.ts";
import type { SurveyGeometry } from "../../src/physics/survey.ts";

const PAD = 120;

type Neighbours = [Int32Array, Int32Array, Int32Array, Int32Array];

export function leapfrogRecord(survey: SurveyGeometry, map: Float32Array): Float64Array {
  const { samples, sources, receivers } = survey;
  const shots = sources.map((source) => leapfrogShot(survey, map, source.row, source.column));
  const record = new Float64Array(sources.length * samples * receivers.length);
  shots.forEach((shot, i) => {
    record.set(shot, i * shot.length);
  });
  return record;
}

function leapfrogShot(
  survey: SurveyGeometry,
  map: Float32Array,
  sourceRow: number,
  sourceColumn: number,
): Float64Array {
  const { rows, columns, sampleS, spacingM, samples, receivers } = survey;
  const height = rows + 2 * PAD;
  const width = columns + 2 * PAD;
  const clamp = (i: number, count: number) => Math.min(Math.max(i - PAD, 0), count - 1);
  const velocity = Float64Array.from({ length: height * width }, (_, i) => {
    const row = clamp(Math.floor(i / width), rows);
    return map[row * columns + clamp(i % width, columns)] as number;
  });
  const kappa = damping(survey, map, height, width);
  const pulse = ricker(survey.peakHz, sampleS);
  const source = (sourceRow + PAD) * width + sourceColumn + PAD;
  const offsets = receivers.map(({ row, column }) => (row + PAD) * width + column + PAD);
  const out = new Float64Array(samples * receivers.length);
  let before = new Float64Array(height * width);
  let now = new Float64Array(height * width);
  let after = new Float64Array(height * width);
  const wrapped = (distance: number) =>
    Int32Array.from({ length: width }, (_, column) => (column + distance + width) % width);
  const [l2, l1, r1, r2] = [-2, -1, 1, 2].map(wrapped) as Neighbours;
  for (let step = 0; step < samples; step++) {
    for (let row = 0; row < height; row++) {
      const at = (r: number) => ((r + height) % height) * width;
      const [u2, u1, d1, d2] = [at(row - 2), at(row - 1), at(row + 1), at(row + 2)];
      const here = row * width;
      for (let x = 0; x < width; x++) {
        const near = now[here + l1[x]!]! + now[here + r1[x]!]! + now[u1 + x]! + now[d1 + x]!;
        const far = now[here + l2[x]!]! + now[here + r2[x]!]! + now[u2 + x]! + now[d2 + x]!;
        const courant = (velocity[here + x]! * sampleS) / spacingM;
        const k = kappa[here + x]!;
        const p = now[here + x]!;
        after[here + x] =
          (2 - k) * p -
          (1 - k) * before[here + x]! +
          courant * courant * (-5 * p + (4 / 3) * near - far / 12);
      }
    }
    const gain = velocity[source]! * sampleS;
    after[source]! += gain * gain * (pulse[step] ?? 0);
    offsets.forEach((offset, r) => {
      out[step * offsets.length + r] = after[offset]!;
    });
    [before, now, after] = [now, after, before];
  }
  return out;
}

function damping(
  { rows, columns, spacingM, sampleS }: SurveyGeometry,
  map: Float32Array,
  height: number,
  width: number,
): Float64Array {
  const thickness = (PAD - 1) * spacingM;
  const kappa0 = (3 * Math.min(...map) * Math.log(1e7)) / (2 * thickness);
  const outside = (i: number, count: number) => Math.max(PAD - i, i - (PAD + count - 1), 0);
  return Float64Array.from({ length: height * width }, (_, i) => {
    const across = outside(i % width, columns);
    const depth = across > 0 ? across : outside(Math.floor(i / width), rows);
    if (depth === 0) return 0;
    const share = ((depth - 1) * spacingM) / thickness;
    return kappa0 * share * share * sampleS;
  });
}
