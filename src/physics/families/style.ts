import type { Random } from "../random.ts";
import { clampVelocity, GRID } from "./grid.ts";
import { blur, imageTexture, standardise } from "./texture.ts";

/** Laws of the two families, m/s (slope in m/s per row). */
const SMOOTH = { middle: 2726, middleDeviation: 205, slope: 26.3, strength: 285 };
const SHARP = { middle: 2835, middleDeviation: 100, slope: 28.3, strength: 208 };
const SLOPE_DEVIATION = 4;

/**
 * Style-A (smooth) and Style-B (sharp): an image-like texture on a velocity that grows linearly
 * with depth. Maps of one index share image and trend in A and B, as OpenFWI's do.
 * Source: OpenFWI's label mean and deviation; slope (26..35), texture strength (290 in A, 200..235
 * in B) and autocorrelation (0.5 at 5..6 cells in A, at 3..6 in B) of six published pictures.
 */
export function styleMap(random: Random, smooth: boolean): Float32Array {
  const law = smooth ? SMOOTH : SHARP;
  const slope = law.slope + SLOPE_DEVIATION * random.normal();
  const middle = law.middle + law.middleDeviation * random.normal();
  const strength = law.strength * random.uniform(0.82, 1.18);
  const image = imageTexture(random);
  const texture = smooth ? standardise(blur(image, 2, 2)) : image;
  const map = new Float32Array(GRID * GRID);
  for (let row = 0; row < GRID; row++) {
    const trend = middle + slope * (row - (GRID - 1) / 2);
    for (let x = 0; x < GRID; x++) {
      const at = row * GRID + x;
      map[at] = clampVelocity(trend + strength * texture[at]!);
    }
  }
  return map;
}
