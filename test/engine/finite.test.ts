import { describe, expect, it } from "vitest";
import { findNonFinite } from "../../src/engine/finite.ts";

describe("findNonFinite", () => {
  it.each([0, 1, 3, 4, 5, 8, 17])("finds a bad value at every place of %i", (count) => {
    const values = Float32Array.from({ length: count }, (_, i) => (i % 3) * 3e38 - 3e38);
    expect(findNonFinite(values)).toBe(-1);
    for (let i = 0; i < count; i++) {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const altered = values.slice();
        altered[i] = bad;
        expect(findNonFinite(altered)).toBe(i);
      }
    }
  });

  it("names the first of several", () => {
    const values = new Float32Array(20);
    values[18] = Number.NaN;
    values[7] = Number.POSITIVE_INFINITY;
    expect(findNonFinite(values)).toBe(7);
  });
});
