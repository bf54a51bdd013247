import { cosTurns, type Random, sinTurns } from "../random.ts";
import { GRID } from "./grid.ts";

/** How the body of an object is filled. */
const FILLS = ["plain", "hollow", "hollow", "striped", "grainy"] as const;
type Fill = (typeof FILLS)[number];

/** An ellipse or a rounded box of an image, in cells. */
interface Shape {
  readonly row: number;
  readonly column: number;
  readonly halfLength: number;
  readonly halfWidth: number;
  /** Direction of the long axis. */
  readonly cos: number;
  readonly sin: number;
  readonly boxy: boolean;
  /** Brightness of the body; the ground is 0. */
  readonly body: number;
  /** Brightness gained from the middle to the upper side, as if lit from above. */
  readonly light: number;
  readonly fill: Fill;
  /** Cells per pair of stripes. */
  readonly period: number;
}

/**
 * An image-like texture: lit, hollow, striped and grainy objects in clusters on a plain ground,
 * at times with a brighter foreground or a row of equal objects. It stands in for the natural
 * photographs that OpenFWI's Style maps take their texture from.
 * @returns [70][70] brightness, mean 0 and deviation 1
 */
export function imageTexture(random: Random): Float64Array {
  const image = new Float64Array(GRID * GRID);
  const size = random.uniform(0.75, 1.2);
  if (random.chance(0.25)) paintForeground(image, random);
  const clusters = random.integer(10, 16);
  for (let i = 0; i < clusters; i++) paintCluster(image, random, size);
  if (random.chance(0.35)) paintRow(image, random, size);
  return standardise(soften(image));
}

/** Objects of like kind around a point; later ones hide earlier ones. */
function paintCluster(image: Float64Array, random: Random, size: number): void {
  const row = random.uniform(0, GRID);
  const column = random.uniform(0, GRID);
  const spread = random.uniform(4, 12);
  // Most lie near level.
  const turns = random.chance(0.6) ? random.uniform(-0.1, 0.1) : random.uniform(0, 1);
  const members = random.integer(2, 5);
  for (let i = 0; i < members; i++) {
    const shape = randomShape(random, size, turns + random.uniform(-0.1, 0.1));
    const away = { row: row + spread * random.normal(), column: column + spread * random.normal() };
    paintShape(image, { ...shape, ...away }, random);
  }
}

/** An object at the origin whose long axis points `turns` of a full turn from the row axis. */
function randomShape(random: Random, size: number, turns: number): Shape {
  const halfLength = size * random.uniform(3.5, 9);
  return {
    row: 0,
    column: 0,
    halfLength,
    halfWidth: halfLength * random.uniform(0.45, 1),
    cos: cosTurns(turns),
    sin: sinTurns(turns),
    boxy: random.chance(0.15),
    body: random.chance(0.8) ? random.uniform(0.5, 1) : random.uniform(-0.6, 0),
    light: random.uniform(0, 0.5),
    fill: FILLS[random.integer(0, FILLS.length - 1)]!,
    period: random.uniform(2.5, 5),
  };
}

/** Equal objects side by side, like a fence or a row of arches. */
function paintRow(image: Float64Array, random: Random, size: number): void {
  const first = randomShape(random, 0.6 * size, random.uniform(0, 1));
  const row = random.uniform(10, GRID - 5);
  const spacing = first.halfWidth * 2 + random.uniform(1, 4);
  const drop = random.uniform(-0.15, 0.15);
  for (let column = random.uniform(0, 20); column < GRID; column += spacing) {
    paintShape(image, { ...first, column, row: row + drop * column }, random);
  }
}

/** Brightens everything below a wavy horizon and roughens it a little. */
function paintForeground(image: Float64Array, random: Random): void {
  const horizon = random.uniform(25, 60);
  const height = random.uniform(0, 6);
  const waves = random.uniform(0.5, 2);
  const phase = random.uniform(0, 1);
  const body = random.uniform(0.3, 0.8);
  for (let x = 0; x < GRID; x++) {
    const top = Math.floor(horizon + height * sinTurns(phase + (waves * x) / GRID));
    for (let row = Math.max(0, top); row < GRID; row++) {
      image[row * GRID + x] = body + random.uniform(-0.1, 0.1);
    }
  }
}

/** Paints over what lies below, within the bounding square of the shape. */
function paintShape(image: Float64Array, shape: Shape, random: Random): void {
  const reach = shape.halfLength * (shape.boxy ? 1.42 : 1);
  const firstRow = Math.max(0, Math.floor(shape.row - reach));
  const lastRow = Math.min(GRID - 1, Math.floor(shape.row + reach) + 1);
  const firstColumn = Math.max(0, Math.floor(shape.column - reach));
  const lastColumn = Math.min(GRID - 1, Math.floor(shape.column + reach) + 1);
  for (let row = firstRow; row <= lastRow; row++) {
    for (let x = firstColumn; x <= lastColumn; x++) {
      const dx = x - shape.column;
      const dy = row - shape.row;
      const along = (dx * shape.cos + dy * shape.sin) / shape.halfLength;
      const across = (dy * shape.cos - dx * shape.sin) / shape.halfWidth;
      const radius = shape.boxy
        ? Math.max(Math.abs(along), Math.abs(across))
        : Math.sqrt(along * along + across * across);
      if (radius > 1) continue;
      const lit = shape.body - (shape.light * dy) / shape.halfLength;
      const grain = random.uniform(-0.12, 0.12);
      image[row * GRID + x] = lit + grain + fillDetail(shape, along, across, radius, random);
    }
  }
}

/** What the fill adds to the lit body at a place given in half axes. */
function fillDetail(
  shape: Shape,
  along: number,
  across: number,
  radius: number,
  random: Random,
): number {
  switch (shape.fill) {
    case "plain":
      return 0;
    case "hollow":
      // A ring: the ground shows through, its lower lip faint.
      return radius < 0.55 ? -0.8 * shape.body : 0;
    case "striped":
      return (
        0.4 * sinTurns((along * shape.halfLength) / shape.period) * (1 - 0.5 * across * across)
      );
    case "grainy":
      return random.uniform(-0.4, 0.4);
  }
}

/** Smooths by (1, 4, 1) / 6 down and across, as a camera would: no edge is a one-cell step. */
function soften(image: Float64Array): Float64Array {
  const out = new Float64Array(image.length);
  for (let row = 0; row < GRID; row++) {
    const above = Math.max(0, row - 1) * GRID;
    const here = row * GRID;
    const below = Math.min(GRID - 1, row + 1) * GRID;
    for (let x = 0; x < GRID; x++) {
      const left = Math.max(0, x - 1);
      const right = Math.min(GRID - 1, x + 1);
      const column = (i: number) => image[above + i]! + 4 * image[here + i]! + image[below + i]!;
      out[here + x] = (column(left) + 4 * column(x) + column(right)) / 36;
    }
  }
  return out;
}

/**
 * Gaussian-like blur by repeated running means, both ways; its deviation is
 * sqrt(passes * ((2 * radius + 1)^2 - 1) / 12) cells.
 */
export function blur(image: Float64Array, radius: number, passes: number): Float64Array {
  let from = image;
  for (let pass = 0; pass < passes; pass++) {
    from = runningMean(runningMean(from, radius, 1, GRID), radius, GRID, 1);
  }
  return from;
}

/** Mean over 2 * radius + 1 cells along `step`; edge cells stand for those beyond the edge. */
function runningMean(from: Float64Array, radius: number, step: number, line: number): Float64Array {
  const to = new Float64Array(from.length);
  const width = 2 * radius + 1;
  for (let j = 0; j < GRID; j++) {
    const start = j * line;
    const cell = (i: number) => from[start + Math.min(GRID - 1, Math.max(0, i)) * step]!;
    let sum = 0;
    for (let i = -radius; i <= radius; i++) sum += cell(i);
    for (let i = 0; i < GRID; i++) {
      to[start + i * step] = sum / width;
      sum += cell(i + radius + 1) - cell(i - radius);
    }
  }
  return to;
}

/** Shifts and scales in place to mean 0, deviation 1; an image of one value becomes zeros. */
export function standardise(image: Float64Array): Float64Array {
  let sum = 0;
  for (const value of image) sum += value;
  const mean = sum / image.length;
  let power = 0;
  for (const value of image) power += (value - mean) * (value - mean);
  // Below this, what is left is rounding of the mean.
  const scale = power > 1e-12 ? Math.sqrt(image.length / power) : 0;
  for (let i = 0; i < image.length; i++) image[i] = (image[i]! - mean) * scale;
  return image;
}
