/**
 * OpenFWI scores maps on [-1, 1], the label range 1500..4500 m/s mapped linearly (its
 * `transforms.py`, `minmax_normalize`): (v - 3000) / 1500.
 */
export const VELOCITY_CENTRE_MPS = 3000;
export const VELOCITY_HALF_RANGE_MPS = 1500;

/** One velocity in m/s as OpenFWI's normalised value. */
export function normaliseVelocity(mps: number): number {
  return (mps - VELOCITY_CENTRE_MPS) / VELOCITY_HALF_RANGE_MPS;
}

/**
 * Throws unless two maps hold the same, non-zero number of values.
 * @throws RangeError naming `metric`
 */
export function checkSameLength(metric: string, a: ArrayLike<number>, b: ArrayLike<number>): void {
  if (a.length === 0) throw new RangeError(`${metric}: expected at least one value, got none`);
  if (a.length !== b.length) {
    throw new RangeError(`${metric}: expected maps of one size, got ${a.length} and ${b.length}`);
  }
}
