import type { Random } from "../random.ts";
import { clampVelocity, GRID } from "./grid.ts";
import { blur, imageTexture, standardise } from "./texture.ts";

/**
 * Style-A (smooth) and Style-B (sharp): an image-like texture on a velocity that grows linearly
 * with depth. Maps of one index share the image in A and B, as OpenFWI's do.
 * Source: OpenFWI's label statistics; trend, texture strength and autocorrelation of published
 * pictures (0.5 at 5..6 cells in A, at 3..4 cells in B).
 */
export function styleMap(random: Random, smooth: boolean): Float32Array {
  const image = imageTexture(random);
  const texture = smooth ? standardise(blur(image, 2)) : image;
  const strength = smooth ? random.uniform(230, 350) : random.uniform(160, 250);
  const slope = 26.3 + 4 * random.normal();
  const middle = (smooth ? 2735 : 2840) + 290 * random.normal();
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
