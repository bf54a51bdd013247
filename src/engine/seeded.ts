/**
 * Repeatable integers for benchmarks and tests: a linear congruential generator (Numerical
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
 * As `seededIntegers`, for self-tests and warm-up: a generator modulo 2^16 (of full period, as its increment is odd and its factor 1 modulo 4),
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

/** Values drawn before they repeat: a prime, so that no two rows, channels or vectors get the same ones. */
const PERIOD = 61;

/**
 * Fills an array for a self-test: `draw` gives the first values, which then repeat. Some thousand calls of it would make V8 load its
 * optimising compiler at every start, a megabyte of code.
 */
export function fillSeeded<T extends Numbers>(values: T, draw: () => number): T {
  const drawn = Math.min(values.length, PERIOD);
  for (let i = 0; i < drawn; i++) values[i] = draw();
  for (let done = drawn; done < values.length; done *= 2) values.copyWithin(done, 0, done);
  return values;
}

type Numbers = Int8Array | Uint8Array | Int16Array | Int32Array | Float32Array;
