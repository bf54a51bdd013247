import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mae, rmse, scoreMap, ssim } from "../../src/metrics/index.ts";

interface Case {
  name: string;
  height: number;
  width: number;
  a: number[];
  b: number[];
  mae: number;
  rmse: number;
  ssim: number;
}

const vectors = JSON.parse(
  readFileSync(new URL("../vectors/metrics.json", import.meta.url), "utf8"),
) as { cases: Case[] };

describe("metrics against NumPy (train/metric_vectors.py)", () => {
  it.each(vectors.cases)("$name", (vector) => {
    expect(mae(vector.a, vector.b)).toBeCloseTo(vector.mae, 12);
    expect(rmse(vector.a, vector.b)).toBeCloseTo(vector.rmse, 12);
    expect(ssim(vector.a, vector.b, vector.height, vector.width)).toBeCloseTo(vector.ssim, 12);
  });
});

describe("scoreMap", () => {
  it("gives 0, 0, 1 for equal maps and m/s beside the normalised error", () => {
    const truth = Float32Array.from({ length: 49 }, (_, i) => 1500 + 60 * i);
    expect(scoreMap(truth, truth)).toEqual({ mae: 0, rmse: 0, ssim: 1, maeMps: 0 });
    const slower = truth.map((velocity) => velocity - 150);
    const score = scoreMap(slower, truth);
    expect(score.mae).toBeCloseTo(0.1, 12);
    expect(score.maeMps).toBeCloseTo(150, 9);
    expect(score.ssim).toBeLessThan(1);
  });

  it("takes the height of maps that are not square", () => {
    const map = new Float32Array(12).fill(2000);
    expect(scoreMap(map, map, 3).ssim).toBeCloseTo(1, 12);
    expect(() => scoreMap(map, map)).toThrow(
      "scoreMap: expected a square map or a height that divides it, got 12 values",
    );
  });

  it("says which sizes did not fit", () => {
    expect(() => mae([1, 2], [1])).toThrow("mae: expected maps of one size, got 2 and 1");
    expect(() => rmse([], [])).toThrow("rmse: expected at least one value, got none");
    expect(() => ssim([1, 2], [1, 2], 2, 2)).toThrow("ssim: expected 4 values (2x2), got 2");
  });
});
