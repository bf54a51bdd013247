import type { Random } from "../random.ts";
import { GRID } from "./grid.ts";

/**
 * The curve of a curved interface: a quadratic spline through random site values.
 *
 * Source: 4763 unclipped CurveVel-A interfaces. Their second difference is constant between
 * columns 20, 30, 40, 50, 60 and jumps there, so they are quadratic splines with these knots; the
 * residual of that fit is rounding to whole rows alone. Seven values at columns 0, 10 .. 60 are
 * independent and uniform, and so is an eighth one if placed near column 77. An interpolating
 * quadratic spline whose knots are its sites lets errors swing from side to side, which is why the
 * curves grow to the right.
 */
export const CURVE_SITES: readonly number[] = [0, 10, 20, 30, 40, 50, 60, 77.3];

/**
 * Depth of the curve in every column.
 * @param values depth in rows at each of CURVE_SITES
 * @returns 70 depths in rows, not clipped
 */
export function splineCurve(values: readonly number[]): Float64Array {
  const curve = new Float64Array(GRID);
  // The parabola through the first three sites covers columns 0..20.
  const [first, second, third] = [values[0]!, values[1]!, values[2]!];
  let bend = (third - 2 * second + first) / 200;
  let slope = (second - first) / 10 - 10 * bend;
  let depth = first;
  let start = 0;
  for (let site = 2; site < CURVE_SITES.length; site++) {
    const end = CURVE_SITES[site]!;
    const width = end - start;
    if (site > 2) bend = ((values[site]! - depth) / width - slope) / width;
    for (let x = start; x < end && x < GRID; x++) {
      const t = x - start;
      curve[x] = depth + t * (slope + t * bend);
    }
    depth += width * (slope + width * bend);
    slope += 2 * width * bend;
    start = end;
  }
  return curve;
}

/** Site values drawn uniformly in [low, high), for {@link splineCurve}. */
export function randomSites(random: Random, low: number, high: number): number[] {
  return CURVE_SITES.map(() => random.uniform(low, high));
}
