import { cosTurns, type Random, sinTurns } from "../random.ts";
import { GRID } from "./grid.ts";

/** How a shape is filled. */
type Fill = "plain" | "striped" | "grainy" | "shaded";
const FILLS: readonly Fill[] = ["plain", "striped", "grainy", "shaded"];

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
  /** Brightness of the body and of the rim. */
  readonly body: number;
  readonly rim: number;
  /** Rim thickness as a share of the half width, 0 for none. */
  readonly rimShare: number;
  readonly fill: Fill;
  /** Cells per stripe pair. */
  readonly period: number;
}

/**
 * An image-like texture: outlined, striped and grainy shapes scattered over a plain ground, some in
 * rows. It stands in for the natural photographs that OpenFWI's Style maps take their texture
 * from.
 * @returns [70][70] brightness, mean 0 and deviation 1
 */
export function imageTexture(random: Random): Float64Array {
  const image = new Float64Array(GRID * GRID);
  const count = random.integer(10, 24);
  const size = random.uniform(0.8, 1.25);
  for (let i = 0; i < count; i++) paintShape(image, randomShape(random, size), random);
  if (random.chance(0.4)) paintRow(image, random, size);
  return standardise(image);
}

function randomShape(random: Random, size: number): Shape {
  const turns = random.uniform(0, 1);
  const halfLength = size * random.uniform(3.5, 11);
  const body = random.chance(0.8) ? random.uniform(0.3, 1) : random.uniform(-0.8, 0);
  return {
    row: random.uniform(-2, GRID + 2),
    column: random.uniform(-2, GRID + 2),
    halfLength,
    halfWidth: halfLength * random.uniform(0.4, 1),
    cos: cosTurns(turns),
    sin: sinTurns(turns),
    boxy: random.chance(0.25),
    body,
    rim: body + random.uniform(0.2, 0.7),
    rimShare: random.chance(0.5) ? random.uniform(0.15, 0.4) : 0,
    fill: FILLS[random.integer(0, FILLS.length - 1)]!,
    period: random.uniform(2.2, 5),
  };
}

/** Equal shapes side by side, like a fence or a row of arches. */
function paintRow(image: Float64Array, random: Random, size: number): void {
  const first = randomShape(random, 0.6 * size);
  const row = random.uniform(10, GRID - 5);
  const spacing = first.halfWidth * 2 + random.uniform(1, 4);
  const drop = random.uniform(-0.15, 0.15);
  for (let column = random.uniform(0, 20); column < GRID; column += spacing) {
    paintShape(image, { ...first, column, row: row + drop * column }, random);
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
      const onRim = radius > 1 - shape.rimShare;
      image[row * GRID + x] = onRim ? shape.rim : filled(shape, along, across, random);
    }
  }
}

/** Brightness inside the rim at a place given in half axes. */
function filled(shape: Shape, along: number, across: number, random: Random): number {
  switch (shape.fill) {
    case "plain":
      return shape.body;
    case "striped":
      return shape.body + 0.35 * sinTurns((along * shape.halfLength) / shape.period);
    case "grainy":
      return shape.body + random.uniform(-0.4, 0.4);
    case "shaded":
      return shape.body - 0.4 * across;
  }
}

/** Gaussian-like blur: three passes of a running mean over 2 * radius + 1 cells, both ways. */
export function blur(image: Float64Array, radius: number): Float64Array {
  let from = image;
  for (let pass = 0; pass < 3; pass++) {
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
  let mean = 0;
  for (const value of image) mean += value / image.length;
  let power = 0;
  for (const value of image) power += ((value - mean) * (value - mean)) / image.length;
  const scale = power > 0 ? 1 / Math.sqrt(power) : 0;
  for (let i = 0; i < image.length; i++) image[i] = (image[i]! - mean) * scale;
  return image;
}
