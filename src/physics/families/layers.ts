import type { Random } from "../random.ts";
import { CURVE_SITES, randomSites, splineCurve } from "./curve.ts";
import { GRID, VELOCITY_MAX, VELOCITY_MIN } from "./grid.ts";

/** Interfaces that a Vel map may hold; a map has one more velocity than interfaces. */
const INTERFACES_MIN = 3;
const INTERFACES_MAX = 7;

/**
 * FlatVel: k level interfaces, k uniform in 3..7. The first lies at U(0.5, 1.5) * 70/k rows, each
 * next one 70/k + U(-1, 1) rows deeper; those below row 70 are not seen.
 * Source: fitted to 5000 FlatVel-A maps; B is told apart by unsorted velocities alone.
 * @param sorted velocities grow with depth (A) or come in any order (B)
 */
export function flatVelocityMap(random: Random, sorted: boolean): Float32Array {
  const count = random.integer(INTERFACES_MIN, INTERFACES_MAX);
  const thickness = GRID / count;
  const interfaces: Float64Array[] = [];
  let depth = random.uniform(0.5 * thickness, 1.5 * thickness);
  for (let i = 0; i < count; i++) {
    interfaces.push(new Float64Array(GRID).fill(depth));
    depth += thickness + random.uniform(-1, 1);
  }
  return fillLayers(interfaces, layerVelocities(random, count + 1, sorted));
}

/**
 * CurveVel: the law of FlatVel held at every spline site by itself, so that all interfaces of a
 * map share a curve to within a row or two.
 * @param sorted velocities grow with depth (A) or come in any order (B)
 */
export function curveVelocityMap(random: Random, sorted: boolean): Float32Array {
  const count = random.integer(INTERFACES_MIN, INTERFACES_MAX);
  const thickness = GRID / count;
  const interfaces: Float64Array[] = [];
  const values = randomSites(random, 0.5 * thickness, 1.5 * thickness);
  for (let i = 0; i < count; i++) {
    interfaces.push(splineCurve(values));
    for (let site = 0; site < CURVE_SITES.length; site++) {
      values[site]! += thickness + random.uniform(-1, 1);
    }
  }
  return fillLayers(interfaces, layerVelocities(random, count + 1, sorted));
}

/** Whole velocities drawn uniformly from 1500..4500 m/s. */
function layerVelocities(random: Random, count: number, sorted: boolean): number[] {
  const velocities: number[] = [];
  for (let i = 0; i < count; i++) velocities.push(random.integer(VELOCITY_MIN, VELOCITY_MAX));
  return sorted ? velocities.sort((a, b) => a - b) : velocities;
}

/** A cell takes the velocity of the deepest interface that its row has reached. */
function fillLayers(interfaces: readonly Float64Array[], velocities: readonly number[]) {
  const map = new Float32Array(GRID * GRID);
  for (let x = 0; x < GRID; x++) {
    let layer = 0;
    for (let row = 0; row < GRID; row++) {
      while (layer < interfaces.length && row >= interfaces[layer]![x]!) layer++;
      map[row * GRID + x] = velocities[layer]!;
    }
  }
  return map;
}
