/** The OpenFWI map grid: 70 x 70 cells of 10 m, velocities in m/s. */

/** Rows (depth) and columns of a velocity map. */
export const GRID = 70;
/** Slowest velocity of every family, m/s. */
export const VELOCITY_MIN = 1500;
/** Fastest velocity of every family, m/s. */
export const VELOCITY_MAX = 4500;

/** The velocity, kept inside VELOCITY_MIN..VELOCITY_MAX. */
export function clampVelocity(velocity: number): number {
  return Math.min(VELOCITY_MAX, Math.max(VELOCITY_MIN, velocity));
}
