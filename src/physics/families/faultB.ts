import type { Random } from "../random.ts";
import { CURVE_SITES, splineCurve } from "./curve.ts";
import { GRID, VELOCITY_MAX, VELOCITY_MIN } from "./grid.ts";

/** The rock on one side of the main fault. */
interface Block {
  /** One velocity per layer, growing with depth, m/s. */
  readonly velocities: readonly number[];
  /** Depth of each interface in every column, rows. */
  readonly interfaces: readonly Float64Array[];
}

/** A straight line; cells are left or right of it. */
interface Line {
  /** Column where the line crosses the middle row. */
  readonly column: number;
  /** Columns to the right per row downwards. */
  readonly lean: number;
}

/** A sliver between two lines whose rock has slid along them. */
interface Sliver {
  readonly left: Line;
  readonly right: Line;
  /** Rows that the sliver reaches over. */
  readonly top: number;
  readonly bottom: number;
  /** How far its rock has moved down, rows (negative: up). */
  readonly slip: number;
}

/**
 * FlatFault-B and CurveFault-B: two blocks of six to eight layers each, with their own velocities
 * and folds, meeting at a main fault; slivers along further faults carry displaced rock. Edges are
 * sharp.
 * Source: pictures of three FlatFault-B and fourteen CurveFault-B maps, whose 11..15 velocities
 * form two growing sequences.
 * @param curved layers are folded
 */
export function complexFaultMap(random: Random, curved: boolean): Float32Array {
  const count = random.integer(6, 8);
  const blocks = [randomBlock(random, count, curved), randomBlock(random, count, curved)] as const;
  const main: Line = { column: random.uniform(12, 58), lean: randomLean(random) };
  const slivers = randomSlivers(random, main);

  const map = new Float32Array(GRID * GRID);
  for (let row = 0; row < GRID; row++) {
    for (let x = 0; x < GRID; x++) {
      let column = x;
      let depth = row;
      for (const sliver of slivers) {
        if (!isInside(sliver, column, depth)) continue;
        depth -= sliver.slip;
        column -= sliver.slip * sliver.left.lean;
      }
      const block = isRightOf(main, column, depth) ? blocks[1] : blocks[0];
      map[row * GRID + x] = velocityAt(block, column, depth);
    }
  }
  return map;
}

function randomBlock(random: Random, count: number, curved: boolean): Block {
  const thickness = GRID / count;
  const fold = curved ? randomFold(random) : new Float64Array(GRID);
  // Folds grow or fade with depth.
  const growth = curved ? random.uniform(-0.2, 0.6) : 0;
  const interfaces: Float64Array[] = [];
  let depth = random.uniform(0.2, 1.3) * thickness;
  for (let i = 0; i < count - 1; i++) {
    const gain = 1 + (growth * depth) / GRID;
    interfaces.push(fold.map((offset) => depth + gain * offset));
    depth += thickness * random.uniform(0.6, 1.4);
  }
  return { velocities: growingVelocities(random, count), interfaces };
}

/**
 * A fold about depth 0: the CurveVel spline with sites that mostly swing from crest to trough, as
 * the sharp folds of the pictures do, held level beyond column 60 in half of the blocks.
 */
function randomFold(random: Random): Float64Array {
  const height = random.uniform(2, 11);
  let side = random.chance(0.5) ? 1 : -1;
  const values = CURVE_SITES.map(() => {
    if (random.chance(0.7)) side = -side;
    return side * height * random.uniform(0.1, 1);
  });
  const fold = splineCurve(values);
  if (random.chance(0.5)) fold.fill(fold[60]!, 60);
  return random.chance(0.5) ? fold : fold.reverse();
}

/** Whole velocities drawn uniformly from 1500..4500 m/s, slowest first. */
function growingVelocities(random: Random, count: number): number[] {
  const velocities: number[] = [];
  for (let i = 0; i < count; i++) velocities.push(random.integer(VELOCITY_MIN, VELOCITY_MAX));
  return velocities.sort((a, b) => a - b);
}

/** One to three slivers: the first follows the main fault, the others cross it or stand apart. */
function randomSlivers(random: Random, main: Line): Sliver[] {
  const slivers: Sliver[] = [];
  const count = random.integer(1, 3);
  for (let i = 0; i < count; i++) {
    const follows = i === 0;
    const lean = follows ? main.lean + random.uniform(-0.3, 0.3) : randomLean(random);
    const column = follows ? main.column + random.uniform(-5, 5) : random.uniform(5, 65);
    // Mostly narrow: one in four is wide.
    const width = random.chance(0.25) ? random.uniform(10, 22) : random.uniform(2, 9);
    const top = random.uniform(-30, 25);
    const length = random.uniform(25, 90);
    // Half of the slivers end in a tip: their sides meet at the lower end.
    const taper = random.chance(0.5) ? width / length : random.uniform(-0.1, 0.1);
    slivers.push({
      left: { column: column - width / 2, lean },
      right: { column: column + width / 2, lean: lean - taper },
      top,
      bottom: top + length,
      slip: random.uniform(6, 30) * (random.chance(0.65) ? 1 : -1),
    });
  }
  return slivers;
}

/** Columns per row downwards; most faults dip to the right. */
function randomLean(random: Random): number {
  return random.uniform(0.1, 1) * (random.chance(0.7) ? 1 : -1);
}

function isRightOf(line: Line, column: number, row: number): boolean {
  return column > line.column + line.lean * (row - GRID / 2);
}

function isInside(sliver: Sliver, column: number, row: number): boolean {
  return (
    row >= sliver.top &&
    row < sliver.bottom &&
    isRightOf(sliver.left, column, row) &&
    !isRightOf(sliver.right, column, row)
  );
}

/** Velocity of a block; columns beyond the map continue its edge. */
function velocityAt(block: Block, column: number, depth: number): number {
  const x = Math.min(GRID - 1, Math.max(0, Math.round(column)));
  let layer = 0;
  while (layer < block.interfaces.length && depth >= block.interfaces[layer]![x]!) layer++;
  return block.velocities[layer]!;
}
