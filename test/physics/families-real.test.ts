import { describe, expect, it } from "vitest";
import {
  curveStatistics,
  labelStatistics,
  layerStatistics,
  rowStatistics,
} from "../../scripts/map-statistics.mjs";
import { readRealMaps, realMapsFolder } from "../../scripts/openfwi-maps.mjs";
import { type FamilyName, velocityMap } from "../../src/physics/families/index.ts";

/** Real maps are no part of the repository: without them there is nothing to compare with. */
const folder = realMapsFolder();
const count = 1500;
const ours = (family: FamilyName) =>
  Array.from({ length: count }, (_, index) => velocityMap(family, 31, index));

describe.skipIf(folder === undefined)("beside real OpenFWI maps", { timeout: 60_000 }, () => {
  it("flatvel-a has their layer counts, thickness and velocities", () => {
    const real = readRealMaps(folder!, "FlatVelA");
    const made = ours("flatvel-a");
    expect(real.length).toBe(5000);
    const [layersReal, layersMade] = [layerStatistics(real), layerStatistics(made)];
    layersReal.shares.forEach((share, layers) => {
      // Three standard errors of a share near 0.2 over 1500 maps.
      expect(Math.abs(layersMade.shares[layers]! - share), `${layers} layers`).toBeLessThan(0.032);
    });
    expect(layersMade.thickness / layersReal.thickness).toBeCloseTo(1, 1);
    for (const row of [0, 35, 69]) {
      const [a, b] = [rowStatistics(real, row), rowStatistics(made, row)];
      expect(Math.abs(b.mean - a.mean), `mean of row ${row}`).toBeLessThan(50);
      expect(Math.abs(b.std / a.std - 1), `deviation of row ${row}`).toBeLessThan(0.08);
    }
  });

  it("curvevel-a has their curves", () => {
    const real = curveStatistics(readRealMaps(folder!, "CurveVelA").slice(0, 2000));
    const made = curveStatistics(ours("curvevel-a"));
    expect(Math.abs(made.share - real.share)).toBeLessThan(0.03);
    made.height.forEach((rows, i) => {
      expect(rows / real.height[i]!).toBeGreaterThan(0.9);
      expect(rows / real.height[i]!).toBeLessThan(1.1);
    });
    made.deviation.forEach((rows, x) => {
      expect(Math.abs(rows / real.deviation[x]! - 1), `column ${x}`).toBeLessThan(0.1);
    });
    for (let k = 0; k < 7; k++) {
      expect(Math.abs(made.components[k]! / real.components[k]! - 1)).toBeLessThan(0.1);
    }
  });

  it.each([
    ["flatvel-a", "FlatVelA"],
    ["curvevel-a", "CurveVelA"],
  ] as const)("%s has the labels of %s", (family, set) => {
    const [a, b] = [labelStatistics(readRealMaps(folder!, set)), labelStatistics(ours(family))];
    expect(Math.abs(b.mean / a.mean - 1)).toBeLessThan(0.02);
    expect(Math.abs(b.std / a.std - 1)).toBeLessThan(0.03);
  });
});
