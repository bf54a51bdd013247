import { describe, expect, it } from "vitest";
import { MisfitSum, relativeL2, reliabilityCurve, spearman } from "../../src/metrics/index.ts";

describe("relativeL2", () => {
  it("is |a - b| / |b|", () => {
    expect(relativeL2([3, 4], [3, 4])).toBe(0);
    expect(relativeL2([0, 0], [3, 4])).toBe(1);
    expect(relativeL2([3, 5], [3, 4])).toBeCloseTo(1 / 5, 12);
    expect(relativeL2([-3, -4], [3, 4])).toBe(2);
  });

  it("collects parts into the figure of the whole", () => {
    const [a, b] = [
      [1, 2, 3, 4, 5],
      [2, 2, 1, 4, 4],
    ] as const;
    const sum = new MisfitSum();
    sum.add(a.slice(0, 2), b.slice(0, 2));
    sum.add(a.slice(2), b.slice(2));
    expect(sum.value).toBeCloseTo(relativeL2(a, b), 14);
  });

  it("of silence is 0 against silence and Infinity against sound", () => {
    expect(relativeL2([0, 0], [0, 0])).toBe(0);
    expect(relativeL2([1, 0], [0, 0])).toBe(Number.POSITIVE_INFINITY);
  });

  it("refuses lengths that differ", () => {
    expect(() => relativeL2([1], [1, 2])).toThrow("expected 2 modelled values, got 1");
  });
});

describe("spearman", () => {
  it("sees order, not size", () => {
    expect(spearman([1, 2, 3, 4], [1, 10, 11, 1000])).toBeCloseTo(1, 14);
    expect(spearman([1, 2, 3, 4], [9, 3, 2, -7])).toBeCloseTo(-1, 14);
  });

  it("gives the value of a worked example", () => {
    // Ranks 0..9 and the permutation below: 1 - 6 sum(d^2) / (n (n^2 - 1)), sum(d^2) = 194.
    const iq = [86, 97, 99, 100, 101, 103, 106, 110, 112, 113];
    const hours = [2, 20, 28, 27, 50, 29, 7, 17, 6, 12];
    expect(spearman(iq, hours)).toBeCloseTo(1 - (6 * 194) / 990, 12);
  });

  it("averages the ranks of equal values", () => {
    // Ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3: covariance 4.5, variances 4.5 and 5.
    expect(spearman([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNaN();
  });

  it("refuses samples that cannot be ranked together", () => {
    expect(() => spearman([1, 2], [1])).toThrow("got 2 and 1");
    expect(() => spearman([1], [1])).toThrow("two values or more");
  });
});

describe("reliabilityCurve", () => {
  it("sorts by misfit and describes the errors of each group", () => {
    const misfits = [5, 1, 4, 2, 3, 6, 7];
    const errors = misfits.map((misfit) => 10 * misfit);
    const curve = reliabilityCurve(misfits, errors, 3);
    expect(curve.map(({ n }) => n)).toEqual([3, 2, 2]);
    expect(curve.map(({ misfit }) => misfit)).toEqual([
      [1, 2, 3],
      [4, 4.5, 5],
      [6, 6.5, 7],
    ]);
    expect(curve[0]!.error).toEqual({ mean: 20, p10: 12, p50: 20, p90: 28 });
  });

  it("has a bin per record where records are few", () => {
    expect(reliabilityCurve([2, 1], [7, 8], 10).map(({ error }) => error.mean)).toEqual([8, 7]);
  });

  it("refuses lists that do not belong together", () => {
    expect(() => reliabilityCurve([1], [1, 2], 3)).toThrow("expected 1 errors, got 2");
    expect(() => reliabilityCurve([], [], 3)).toThrow("expected records and bins");
  });
});
