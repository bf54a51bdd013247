import { type Random, sinTurns } from "../random.ts";
import { clampVelocity, GRID } from "./grid.ts";

/** Velocity that parts the slow upper half of the layers from the fast lower half, m/s. */
const HALFWAY = 3000;

/** A straight fault; the cells to its right belong to the other block. */
interface Fault {
  /** Column where the fault crosses the middle row. */
  readonly column: number;
  /** Columns to the right per row downwards: 0 is vertical, 1 dips 45 degrees. */
  readonly lean: number;
}

/**
 * FlatFault-A and CurveFault-A: two to four layers broken by one fault or by a pair, edges blurred
 * over three rows.
 * Source: FlatFault-A statistics (layer counts 2, 3, 4 in equal share, velocities, throw 5..10
 * rows, 28 % of maps level at both edges) and one picture of each.
 * @param curved interfaces follow a smooth fold instead of being level
 */
export function simpleFaultMap(random: Random, curved: boolean): Float32Array {
  const count = random.integer(2, 4);
  const velocities = halvedVelocities(random, count);
  const depths = layerDepths(random, count);
  const fold = curved ? smoothFold(random) : new Float64Array(GRID);
  const throwRows = random.uniform(5, 10);
  const faults = faultsOfMap(random);
  // Either side of a fault may be the raised one.
  const raisedSide = random.chance(0.5);

  const map = new Float32Array(GRID * GRID);
  for (let row = 0; row < GRID; row++) {
    for (let x = 0; x < GRID; x++) {
      const raised = isBeyond(faults, x, row) === raisedSide;
      const depth = row - fold[x]! + (raised ? throwRows : 0);
      let layer = 0;
      while (layer < depths.length && depth >= depths[layer]!) layer++;
      map[row * GRID + x] = velocities[layer]!;
    }
  }
  return blurEdges(map);
}

/** Half of the layers (rounded down) below 3000 m/s, the rest above, slowest on top. */
function halvedVelocities(random: Random, count: number): number[] {
  const velocities: number[] = [];
  for (let i = 0; i < count; i++) {
    const slow = i < Math.floor(count / 2);
    velocities.push(slow ? random.integer(1500, HALFWAY) : random.integer(HALFWAY, 4500));
  }
  return velocities.sort((a, b) => a - b);
}

/** Interface depths in rows: layers of at least 15 rows that grow thinner with depth. */
function layerDepths(random: Random, count: number): number[] {
  if (count === 2) return [random.uniform(23, 47)];
  const first = count === 3 ? random.uniform(19, 36) : random.uniform(16, 25);
  const depths = [first];
  for (let i = 2; i < count; i++) depths.push(depths[i - 2]! + random.uniform(15.5, 23));
  return depths;
}

/** One fault in 72 % of the maps, otherwise two that bound a raised or a sunken block. */
function faultsOfMap(random: Random): Fault[] {
  const lean = random.uniform(-1, 1);
  if (random.chance(0.72)) return [{ column: random.uniform(12, 58), lean }];
  const left = random.uniform(8, 34);
  return [
    { column: left, lean },
    { column: left + random.uniform(14, 32), lean: random.chance(0.5) ? -lean : lean },
  ];
}

/** Whether a cell lies to the right of an odd number of faults. */
function isBeyond(faults: readonly Fault[], x: number, row: number): boolean {
  let beyond = false;
  for (const { column, lean } of faults) {
    if (x > column + lean * (row - GRID / 2)) beyond = !beyond;
  }
  return beyond;
}

/** A fold of one to two waves across the map, depth in rows per column. */
function smoothFold(random: Random): Float64Array {
  const fold = new Float64Array(GRID);
  const height = random.uniform(3, 9);
  const waves = random.uniform(1, 2);
  const phase = random.uniform(0, 1);
  const secondHeight = height * random.uniform(0, 0.4);
  const secondPhase = random.uniform(0, 1);
  for (let x = 0; x < GRID; x++) {
    const t = x / GRID;
    fold[x] =
      height * sinTurns(phase + waves * t) + secondHeight * sinTurns(secondPhase + 2 * waves * t);
  }
  return fold;
}

/** Smooths by (0.2, 0.6, 0.2) along depth and along x; flat parts keep their values. */
function blurEdges(map: Float32Array): Float32Array {
  const half = new Float32Array(map.length);
  const out = new Float32Array(map.length);
  smoothAlong(map, half, GRID, 1);
  smoothAlong(half, out, 1, GRID);
  return out;
}

/** One pass of the blur: `step` leads to the next cell, `line` to the next row of cells. */
function smoothAlong(from: Float32Array, to: Float32Array, step: number, line: number): void {
  for (let j = 0; j < GRID; j++) {
    for (let i = 0; i < GRID; i++) {
      const at = j * line + i * step;
      const before = from[i > 0 ? at - step : at]!;
      const after = from[i < GRID - 1 ? at + step : at]!;
      const here = from[at]!;
      // Written as a correction so that equal neighbours leave the value exactly as it is.
      to[at] = clampVelocity(here + 0.2 * (before - here) + 0.2 * (after - here));
    }
  }
}
