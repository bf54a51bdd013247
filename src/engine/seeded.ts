/**
 * Repeatable integers for self-tests and warm-up: a linear congruential generator (Numerical
 * Recipes constants), its high bits scaled to lo..hi inclusive.
 */
export function seededIntegers(seed: number): (lo: number, hi: number) => number {
  let state = seed >>> 0;
  return (lo, hi) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return lo + Math.floor((state / 2 ** 32) * (hi - lo + 1));
  };
}
