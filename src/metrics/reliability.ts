/** Records of about equal misfit, and how wrong their maps were. */
export interface ReliabilityBin {
  /** Records in the bin. */
  readonly n: number;
  /** Least, middle and greatest misfit. */
  readonly misfit: readonly [number, number, number];
  /** Mean error, and the errors that 10, 50 and 90 % of the records stay below. */
  readonly error: {
    readonly mean: number;
    readonly p10: number;
    readonly p50: number;
    readonly p90: number;
  };
}

/**
 * Reliability curve: records sorted by misfit and cut into `bins` groups of equal size (the first
 * ones take one more where it does not divide), with the true error of each group. A misfit that can
 * be trusted gives a curve that rises and a band that is narrow.
 * @param misfits one per record, finite
 * @param errors the true error of the same records
 * @returns the bins in the order of misfit; fewer than `bins` when there are fewer records
 * @throws RangeError when the lengths differ, or a count is not positive
 */
export function reliabilityCurve(
  misfits: ArrayLike<number>,
  errors: ArrayLike<number>,
  bins: number,
): ReliabilityBin[] {
  const n = misfits.length;
  if (errors.length !== n) {
    throw new RangeError(`reliability: expected ${n} errors, got ${errors.length}`);
  }
  if (!Number.isInteger(bins) || bins < 1 || n < 1) {
    throw new RangeError(`reliability: expected records and bins, got ${n} and ${bins}`);
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => misfits[i]! - misfits[j]!);
  const groups = Math.min(bins, n);
  return Array.from({ length: groups }, (_, bin) => {
    const first = Math.ceil((bin * n) / groups);
    const members = order.slice(first, Math.ceil(((bin + 1) * n) / groups));
    return describeBin(
      members.map((i) => misfits[i]!),
      members.map((i) => errors[i]!).sort((a, b) => a - b),
    );
  });
}

/** Both lists in ascending order. */
function describeBin(misfits: readonly number[], errors: readonly number[]): ReliabilityBin {
  return {
    n: misfits.length,
    misfit: [misfits[0]!, quantile(misfits, 0.5), misfits.at(-1)!],
    error: {
      mean: errors.reduce((sum, value) => sum + value, 0) / errors.length,
      p10: quantile(errors, 0.1),
      p50: quantile(errors, 0.5),
      p90: quantile(errors, 0.9),
    },
  };
}

/** Linear between the two nearest of an ascending list. */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (place - low);
}
