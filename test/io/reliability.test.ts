import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import { reliabilityPng } from "../../src/io/plots/reliability.ts";

const curveColour = "31,90,150";
const bandColour = "194,214,235";

function bin(misfit: number, mean: number, spread: number) {
  const error = { mean, p10: mean - spread, p50: mean, p90: mean + spread };
  return { n: 5, misfit: [misfit, misfit, misfit], error } as const;
}

/** Rows of the picture's column `x` that have the colour. */
function rowsOf(png: PNG, x: number, colour: string): number[] {
  return Array.from({ length: png.height }, (_, y) => y).filter((y) => {
    const at = 4 * (y * png.width + x);
    return png.data.subarray(at, at + 3).join() === colour;
  });
}

describe("reliabilityPng", () => {
  const rising = [bin(0.2, 100, 50), bin(0.6, 300, 100), bin(0.8, 400, 100)];
  const flat = [bin(0.2, 200, 20), bin(0.8, 200, 20)];
  const png = PNG.sync.read(
    Buffer.from(reliabilityPng({ latentMisfit: rising, dataMisfit: flat })),
  );
  const half = png.width / 2;
  const columns = (from: number) =>
    Array.from({ length: half }, (_, i) => from + i).filter(
      (x) => rowsOf(png, x, bandColour).length > 0,
    );

  it("draws a curve that rises with the error, inside its band", () => {
    const [first, last] = [columns(0)[10]!, columns(0).at(-10)!];
    const heightAt = (x: number) => rowsOf(png, x, curveColour)[0]!;
    expect(heightAt(last)).toBeLessThan(heightAt(first) - 50);
    for (const x of [first, last]) {
      const band = rowsOf(png, x, bandColour);
      expect(band[0]).toBeLessThan(heightAt(x));
      expect(band.at(-1)).toBeGreaterThan(heightAt(x));
    }
  });

  it("draws both panels on one error scale", () => {
    const at = columns(half)[10]!;
    const level = rowsOf(png, at, curveColour)[1]!;
    const sameLevel = columns(0).filter((x) => rowsOf(png, x, curveColour).includes(level));
    // 200 m/s lies half-way between the first two bins of the rising curve.
    const share = (sameLevel[0]! - columns(0)[0]!) / (columns(0).at(-1)! - columns(0)[0]!);
    expect(share).toBeGreaterThan(0.25);
    expect(share).toBeLessThan(0.4);
  });

  it("draws one bin as a dot", () => {
    const one = [bin(0.3, 100, 0)];
    expect(() => reliabilityPng({ latentMisfit: one, dataMisfit: one })).not.toThrow();
  });
});
