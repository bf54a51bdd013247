/**
 * Spearman's rank correlation of two samples, -1..1: how well the order of one tells the order of
 * the other. Equal values share the mean of their ranks; NaN when all values of a sample are equal.
 * @throws RangeError when the lengths differ or there are fewer than two values
 */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) {
    throw new RangeError(`spearman: expected samples of one size, got ${a.length} and ${b.length}`);
  }
  if (a.length < 2) throw new RangeError(`spearman: expected two values or more, got ${a.length}`);
  return pearson(ranks(a), ranks(b));
}

/** Ranks from 0, ties averaged. */
function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const result = new Float64Array(values.length);
  for (let first = 0; first < order.length; ) {
    let end = first + 1;
    while (end < order.length && values[order[end]!] === values[order[first]!]) end++;
    for (let i = first; i < end; i++) result[order[i]!] = (first + end - 1) / 2;
    first = end;
  }
  return result;
}

/** Both samples have the mean (n - 1) / 2: they are ranks. */
function pearson(a: Float64Array, b: Float64Array): number {
  const mean = (a.length - 1) / 2;
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i]! - mean;
    const y = b[i]! - mean;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb);
}
