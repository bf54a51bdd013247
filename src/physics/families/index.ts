import { Random } from "../random.ts";
import { simpleFaultMap } from "./faultA.ts";
import { complexFaultMap } from "./faultB.ts";
import { GRID } from "./grid.ts";
import { curveVelocityMap, flatVelocityMap } from "./layers.ts";
import { styleMap } from "./style.ts";

/** The ten OpenFWI families that this package imitates. */
export const FAMILIES = [
  "flatvel-a",
  "flatvel-b",
  "curvevel-a",
  "curvevel-b",
  "flatfault-a",
  "flatfault-b",
  "curvefault-a",
  "curvefault-b",
  "style-a",
  "style-b",
] as const satisfies readonly string[];

/** Name of a family, OpenFWI's name in lower case. */
export type FamilyName = (typeof FAMILIES)[number];

/** Whether a text names a family. */
export function isFamilyName(name: string): name is FamilyName {
  return (FAMILIES as readonly string[]).includes(name);
}

/**
 * Map number `index` of a family: [rows][columns] float32, m/s, row = depth, 1500..4500. The same
 * arguments give the same bytes on every engine.
 * @param seed integer 0..2^32 - 1; other seeds give independent maps
 * @param index integer 0..2^32 - 1
 * @param shape rows and columns: another grid shows the same 70 x 70 map, stretched or squeezed
 * @returns a new array of rows x columns values
 * @throws {RangeError} an unknown family, or a seed or index out of range
 */
export function velocityMap(
  family: FamilyName,
  seed: number,
  index: number,
  shape: readonly [number, number] = [GRID, GRID],
): Float32Array {
  return resample(familyMap(family, seed, index), shape);
}

function familyMap(family: FamilyName, seed: number, index: number): Float32Array {
  if (!isFamilyName(family)) {
    throw new RangeError(`family: expected one of ${FAMILIES.join(", ")}, got ${family}`);
  }
  checkUint32("seed", seed);
  checkUint32("index", index);
  const smooth = family.endsWith("-a");
  switch (family) {
    case "flatvel-a":
    case "flatvel-b":
      return flatVelocityMap(Random.of(family, seed, index), smooth);
    case "curvevel-a":
    case "curvevel-b":
      return curveVelocityMap(Random.of(family, seed, index), smooth);
    case "flatfault-a":
    case "curvefault-a":
      return simpleFaultMap(Random.of(family, seed, index), family === "curvefault-a");
    case "flatfault-b":
    case "curvefault-b":
      return complexFaultMap(Random.of(family, seed, index), family === "curvefault-b");
    case "style-a":
    case "style-b":
      // One stream for both, so that they share the image.
      return styleMap(Random.of("style", seed, index), smooth);
  }
}

/** Each cell takes the velocity of the cell under its centre: no velocity that the map lacks. */
function resample(map: Float32Array, [rows, columns]: readonly [number, number]): Float32Array {
  if (rows === GRID && columns === GRID) return map;
  const under = (cell: number, count: number) => Math.floor(((cell + 0.5) * GRID) / count);
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    return map[under(row, rows) * GRID + under(column, columns)]!;
  });
}

function checkUint32(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 4294967295) {
    throw new RangeError(`${name}: expected an integer 0..4294967295, got ${value}`);
  }
}
