import { mae, rmse } from "./errors.ts";
import { VELOCITY_HALF_RANGE_MPS } from "./normalise.ts";
import { ssim } from "./ssim.ts";

export { spearman } from "./correlation.ts";
export { mae, rmse } from "./errors.ts";
export { MisfitSum, relativeL2 } from "./misfit.ts";
export { normaliseVelocity } from "./normalise.ts";
export { type ReliabilityBin, reliabilityCurve } from "./reliability.ts";
export { ssim } from "./ssim.ts";

/** OpenFWI's three figures for one map, and the mean absolute error in m/s. */
export interface MapScore {
  readonly mae: number;
  readonly rmse: number;
  readonly ssim: number;
  readonly maeMps: number;
}

/**
 * Scores one predicted velocity map against the true one.
 * @param prediction velocities in m/s, [height][width]
 * @param truth velocities in m/s, [height][width]
 * @param height rows; the map is taken to be square when absent
 * @throws RangeError when the sizes differ, or `height` does not divide the length
 */
export function scoreMap(
  prediction: ArrayLike<number>,
  truth: ArrayLike<number>,
  height: number = Math.sqrt(truth.length),
): MapScore {
  if (!Number.isInteger(height) || truth.length % height !== 0) {
    throw new RangeError(
      `scoreMap: expected a square map or a height that divides it, got ${truth.length} values`,
    );
  }
  const meanAbsolute = mae(prediction, truth);
  return {
    mae: meanAbsolute,
    rmse: rmse(prediction, truth),
    ssim: ssim(prediction, truth, height, truth.length / height),
    maeMps: meanAbsolute * VELOCITY_HALF_RANGE_MPS,
  };
}
