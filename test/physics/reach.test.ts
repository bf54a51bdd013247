import { describe, expect, it, vi } from "vitest";
import { ForwardModeller, OPENFWI_SURVEY, velocityMap } from "../../src/physics/index.ts";
import { ReachedWindows } from "../../src/physics/reach.ts";
import { mapOf, relativeError } from "./records.ts";

// A map of full size on every cell is half a second of work on an idle core.
vi.setConfig({ testTimeout: 120_000 });

const maps: Record<string, Float32Array> = {
  slow: mapOf(() => 1500),
  fast: mapOf(() => 4500),
  "fast beside slow": mapOf((_, column) => (column < 35 ? 1500 : 4500)),
  "fast under slow": mapOf((row) => (row < 20 ? 1600 : 4400)),
  folded: velocityMap("curvefault-b", 5, 1),
  textured: velocityMap("style-a", 5, 1),
};

describe("region reached", () => {
  const geometry = { ...OPENFWI_SURVEY, sources: OPENFWI_SURVEY.sources.slice(1, 3) };

  describe.each(["fast", "openfwi"] as const)("boundary %s", (boundary) => {
    it.each(Object.entries(maps))("%s: the record of the whole grid", async (_, map) => {
      const whole = await ForwardModeller.load({ boundary, geometry, region: "all" });
      const part = await ForwardModeller.load({ boundary, geometry, region: "reached" });
      // Measured: 5e-7 to 6e-6. A window that is two blocks too small gives 1e-3 and more.
      expect(relativeError(part.model(map), whole.model(map))).toBeLessThan(2e-5);
      expect(part.cellUpdates).toBeLessThan(0.9 * whole.cellUpdates);
    });
  });

  it("is the default of fast, and not of openfwi", async () => {
    expect((await ForwardModeller.load({ boundary: "fast" })).region).toBe("reached");
    expect((await ForwardModeller.load({ boundary: "openfwi" })).region).toBe("all");
  });

  it("gives the same bits in the scalar module, and the same again after another map", async () => {
    const options = { boundary: "fast", geometry: { ...geometry, samples: 400 } } as const;
    const simd = await ForwardModeller.load({ ...options, module: "simd" });
    const scalar = await ForwardModeller.load({ ...options, module: "scalar" });
    const first = simd.model(maps.folded!);
    expect(scalar.model(maps.folded!)).toEqual(first);
    simd.model(maps.slow!);
    expect(simd.model(maps.folded!)).toEqual(first);
  });

  it("models grids that are smaller than a block, and records of a few samples", async () => {
    const points = [{ row: 0, column: 0 }];
    const survey = {
      ...geometry,
      rows: 2,
      columns: 3,
      samples: 11,
      sources: points,
      receivers: points,
    };
    const map = new Float32Array(6).fill(2000);
    for (const boundary of ["fast", "openfwi"] as const) {
      const whole = await ForwardModeller.load({ boundary, geometry: survey, region: "all" });
      const part = await ForwardModeller.load({ boundary, geometry: survey, region: "reached" });
      expect(relativeError(part.model(map), whole.model(map))).toBeLessThan(2e-5);
    }
  });
});

describe("ReachedWindows", () => {
  it.each(["fast", "openfwi"] as const)(
    "%s: windows grow, then shrink, and hold the line",
    (boundary) => {
      const reach = new ReachedWindows(OPENFWI_SURVEY, boundary);
      const windows = new Uint32Array(4 * reach.count);
      reach.setMap(maps.slow!);
      reach.write({ row: 1, column: 34 }, windows);
      const pad = boundary === "fast" ? 14 : 120;
      const heights = Array.from({ length: reach.count }, (_, i) => {
        const [top, bottom, left, right] = windows.subarray(4 * i, 4 * i + 4);
        expect(top!).toBeLessThanOrEqual(pad + 1);
        expect(bottom!).toBeGreaterThan(pad + 1);
        expect(left! % 16).toBe(0);
        expect(right! % 16).toBe(0);
        return bottom! - top!;
      });
      const peak = heights.indexOf(Math.max(...heights));
      expect(peak).toBeGreaterThan(10);
      expect(peak).toBeLessThan(reach.count - 10);
      expect(heights.at(-1)).toBeLessThan(heights[peak]!);
      expect(heights[0]).toBeLessThan(heights[peak]!);
    },
  );
});
