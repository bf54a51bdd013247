/**
 * Relative L2 misfit, |modelled - observed| / |observed|, collected part by part: 0 for equal data,
 * 1 for silence, and Infinity when only the observed data are silent.
 */
export class MisfitSum {
  #error = 0;
  #norm = 0;

  /** @throws RangeError when the lengths differ */
  add(modelled: ArrayLike<number>, observed: ArrayLike<number>): void {
    if (modelled.length !== observed.length) {
      throw new RangeError(
        `misfit: expected ${observed.length} modelled values, got ${modelled.length}`,
      );
    }
    let error = 0;
    let norm = 0;
    for (let i = 0; i < observed.length; i++) {
      const value = observed[i]!;
      const difference = modelled[i]! - value;
      error += difference * difference;
      norm += value * value;
    }
    this.#error += error;
    this.#norm += norm;
  }

  get value(): number {
    return this.#error === 0 ? 0 : Math.sqrt(this.#error / this.#norm);
  }
}

/**
 * |modelled - observed| / |observed| in the Euclidean norm.
 * @throws RangeError when the lengths differ
 */
export function relativeL2(modelled: ArrayLike<number>, observed: ArrayLike<number>): number {
  const sum = new MisfitSum();
  sum.add(modelled, observed);
  return sum.value;
}
