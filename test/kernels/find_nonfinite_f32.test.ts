import { describe, expect, test } from "vitest";
import { Arena, builds, type Platform } from "./platform.ts";

function find(platform: Platform, x: Float32Array, misalignment = 0): number {
  const arena = new Arena(platform.edge);
  const found = platform.edge.find_nonfinite_f32(arena.put(x, misalignment), x.length);
  expect(arena.brokenGuards()).toEqual([]);
  return found;
}

/** Finite values that a careless test of the exponent would take for others. */
const FINITE = [0, -0, 1e-45, -1e-45, 3.4028234663852886e38, -3.4028234663852886e38, 1];

describe.each(builds)("find_nonfinite_f32, $title", ({ platform, reason }) => {
  test.skipIf(reason !== "")("every kind at every place of every length up to 40", () => {
    for (let n = 0; n <= 40; n++) {
      const finite = Float32Array.from({ length: n }, (_, i) => FINITE[i % FINITE.length]!);
      expect(find(platform!, finite), `n ${n}`).toBe(-1);
      for (let i = 0; i < n; i++) {
        for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          const x = finite.slice();
          x[i] = bad;
          expect(find(platform!, x), `n ${n}, ${bad} at ${i}`).toBe(i);
        }
      }
    }
  });

  test.skipIf(reason !== "")(
    "the first of several; what lies behind the values does not matter",
    () => {
      const x = new Float32Array(100);
      x[18] = Number.NaN;
      x[17] = Number.POSITIVE_INFINITY;
      x[70] = Number.NaN;
      expect(find(platform!, x)).toBe(17);
      expect(find(platform!, x, 4), "unaligned").toBe(17);
      const arena = new Arena(platform!.edge);
      expect(platform!.edge.find_nonfinite_f32(arena.put(x), 17)).toBe(-1);
    },
  );
});
