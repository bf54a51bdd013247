import { describe, expect, it } from "vitest";
import { columns, published } from "../../scripts/openfwi-published.mjs";
import { FAMILIES } from "../../src/physics/families/index.ts";

describe("the published table", () => {
  it("has a plausible figure of every model for every family", () => {
    expect(Object.keys(published).sort()).toEqual([...FAMILIES].sort());
    for (const scores of Object.values(published)) {
      expect(scores).toHaveLength(columns.length);
      for (const { mae, rmse, ssim } of scores) {
        expect(mae).toBeGreaterThan(0.01);
        expect(rmse).toBeGreaterThan(mae);
        expect(rmse).toBeLessThan(0.6);
        expect(ssim).toBeGreaterThan(0.3);
        expect(ssim).toBeLessThan(1);
      }
    }
  });

  it("has the figures that mark its ends", () => {
    expect(published["flatvel-a"]![0]).toEqual({ mae: 0.0131, rmse: 0.0211, ssim: 0.9895 });
    expect(published["curvefault-b"]![4]).toEqual({ mae: 0.3452, rmse: 0.501, ssim: 0.3941 });
    expect(published["style-b"]![1]).toEqual({ mae: 0.0586, rmse: 0.0893, ssim: 0.7599 });
  });
});
