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

/** Up to here a product with a state of 16 bits stays below 2^31. */
const SMALL_RANGE = 1 << 15;

/**
 * As `seededIntegers`, for self-tests: a generator modulo 2^16 (of full period, as its increment is odd and its factor 1 modulo 4),
 * with small integers throughout where the range allows it. Self-tests run at every load, before they are compiled, and
 * there any larger number is an object.
 */
export function selfTestIntegers(seed: number): (lo: number, hi: number) => number {
  let state = seed & 0xffff;
  return (lo, hi) => {
    state = (state * 25173 + 13849) & 0xffff;
    const range = hi - lo + 1;
    const scaled = state * range;
    return lo + (range <= SMALL_RANGE ? scaled >> 16 : Math.floor(scaled / 65536));
  };
}
