import { checkSameLength, VELOCITY_HALF_RANGE_MPS } from "./normalise.ts";

/**
 * Mean absolute error on OpenFWI's normalised maps (1 unit = 1500 m/s).
 * @param a velocities in m/s, any shape
 * @param b velocities in m/s, the same shape
 * @throws RangeError when the lengths differ or are zero
 */
export function mae(a: ArrayLike<number>, b: ArrayLike<number>): number {
  checkSameLength("mae", a, b);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length / VELOCITY_HALF_RANGE_MPS;
}

/**
 * Root of the mean squared error on OpenFWI's normalised maps. OpenFWI takes the root over a whole
 * validation set: pass all its maps in one array for that figure.
 * @param a velocities in m/s, any shape
 * @param b velocities in m/s, the same shape
 * @throws RangeError when the lengths differ or are zero
 */
export function rmse(a: ArrayLike<number>, b: ArrayLike<number>): number {
  checkSameLength("rmse", a, b);
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! - b[i]!;
    sum += difference * difference;
  }
  return Math.sqrt(sum / a.length) / VELOCITY_HALF_RANGE_MPS;
}
