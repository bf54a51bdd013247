import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { labelStatistics } from "../../scripts/map-statistics.mjs";
import {
  FAMILIES,
  type FamilyName,
  isFamilyName,
  velocityMap,
} from "../../src/physics/families/index.ts";

const SIZE = 70;
const maps = (family: FamilyName, seed: number, count: number) =>
  Array.from({ length: count }, (_, index) => velocityMap(family, seed, index));

/** Mean and deviation of the labels, m/s: dataset_config.json of KGML-lab's GFI repository. */
const published: Record<FamilyName, readonly [mean: number, std: number]> = {
  "flatvel-a": [2782.0, 786.2],
  "flatvel-b": [3001.3, 866.7],
  "curvevel-a": [2788.2, 794.2],
  "curvevel-b": [3000.6, 865.4],
  "flatfault-a": [3088.7, 855.4],
  "flatfault-b": [3055.4, 875.9],
  "curvefault-a": [3082.7, 852.4],
  "curvefault-b": [3035.6, 890.5],
  "style-a": [2728.5, 665.8],
  "style-b": [2837.3, 637.7],
};

/** Start of the SHA-256 of the bytes of maps 0..9 with seed 1: a change here makes data made earlier stale. */
const checksums: Record<FamilyName, string> = {
  "flatvel-a": "cd2fb19a33d361a8",
  "flatvel-b": "d9ec1615d65fc5c7",
  "curvevel-a": "1fa34f3d926fbe10",
  "curvevel-b": "32222526a85246d8",
  "flatfault-a": "433ecceb05d9f32a",
  "flatfault-b": "154508aa2d38ed7d",
  "curvefault-a": "bfbf57cdc74e80d7",
  "curvefault-b": "3fbfd8c5ac99aaff",
  "style-a": "f98faa542ee037e2",
  "style-b": "af309a0b6fd1d8c2",
};

describe.each(FAMILIES)("%s", { timeout: 60_000 }, (family) => {
  it("has the published label mean and deviation within 3 %", () => {
    const { mean, std } = labelStatistics(maps(family, 2024, 500));
    const [publishedMean, publishedStd] = published[family];
    expect(Math.abs(mean / publishedMean - 1)).toBeLessThan(0.03);
    expect(Math.abs(std / publishedStd - 1)).toBeLessThan(0.03);
  });

  it("gives the same bytes as ever", () => {
    expect(checksumOf(maps(family, 1, 10))).toBe(checksums[family]);
  });

  it("stays inside 1500..4500 m/s", () => {
    for (const map of maps(family, 5, 60)) {
      expect(map.length).toBe(SIZE * SIZE);
      for (const velocity of map) {
        if (!(velocity >= 1500 && velocity <= 4500)) expect.fail(`velocity ${velocity}`);
      }
    }
  });

  it("gives other maps for another index or seed", () => {
    const seen = new Set<string>();
    for (const seed of [0, 1, 2, 4294967295]) {
      for (const map of maps(family, seed, 20)) seen.add(checksumOf([map]));
    }
    expect(seen.size).toBe(80);
  });

  it("gives independent maps for neighbouring seeds", () => {
    const means = (seed: number) =>
      maps(family, seed, 150).map((map) => labelStatistics([map]).mean);
    // Standard error of a correlation over 150 pairs is 0.08.
    expect(Math.abs(correlation(means(10), means(11)))).toBeLessThan(0.32);
  });
});

describe("flatvel-a", () => {
  it("holds level layers whose velocity grows with depth", () => {
    for (const map of maps("flatvel-a", 3, 200)) {
      expect(map.findIndex((velocity, i) => velocity !== map[i - (i % SIZE)])).toBe(-1);
      expect(firstInversion(map)).toBe(-1);
    }
  });
});

describe("curvevel-a", () => {
  it("grows with depth in every column", () => {
    for (const map of maps("curvevel-a", 3, 200)) expect(firstInversion(map)).toBe(-1);
  });
});

describe("B families", () => {
  it.each(["flatvel-b", "curvevel-b"] as const)("%s also falls with depth", (family) => {
    const inversions = maps(family, 3, 100).filter((map) => map[0]! > map[SIZE * SIZE - SIZE]!);
    expect(inversions.length).toBeGreaterThan(25);
  });

  it.each(["flatfault-b", "curvefault-b"] as const)("%s shows many velocities", (family) => {
    const counts = maps(family, 3, 100).map((map) => new Set(map).size);
    const mean = counts.reduce((a, b) => a + b, 0) / counts.length;
    expect(mean).toBeGreaterThan(10);
    expect(Math.max(...counts)).toBeLessThanOrEqual(16);
  });
});

describe("style", () => {
  it("shares the image between A and B", () => {
    const shared: number[] = [];
    for (let index = 0; index < 20; index++) {
      const [smooth, sharp] = [velocityMap("style-a", 9, index), velocityMap("style-b", 9, index)];
      shared.push(correlation(detrended(smooth), detrended(sharp)));
    }
    expect(Math.min(...shared)).toBeGreaterThan(0.4);
  });

  it("is smooth in A and sharp in B", () => {
    const lagOne = (family: FamilyName) => neighbourCorrelation(maps(family, 9, 20).map(detrended));
    expect(lagOne("style-a")).toBeGreaterThan(0.96);
    expect(lagOne("style-b")).toBeLessThan(0.94);
  });
});

describe("velocityMap", () => {
  it("refuses what it cannot make", () => {
    expect(isFamilyName("style-a")).toBe(true);
    expect(isFamilyName("Style-A")).toBe(false);
    expect(() => velocityMap("saltdome" as FamilyName, 0, 0)).toThrow(
      /^family: expected one of flatvel-a.*, got saltdome$/,
    );
    for (const bad of [-1, 0.5, Number.NaN, 4294967296]) {
      expect(() => velocityMap("style-a", bad, 0)).toThrow(
        `seed: expected an integer 0..4294967295, got ${bad}`,
      );
      expect(() => velocityMap("style-a", 0, bad)).toThrow(RangeError);
    }
  });

  it("hands out a new array each time", () => {
    const first = velocityMap("flatvel-b", 0, 0);
    const copy = first.slice();
    first.fill(0);
    expect(velocityMap("flatvel-b", 0, 0)).toEqual(copy);
  });
});

/** First cell that is slower than the one above it, -1 for none. */
function firstInversion(map: Float32Array): number {
  return map.findIndex((velocity, i) => i >= SIZE && velocity < map[i - SIZE]!);
}

function checksumOf(maps: readonly Float32Array[]): string {
  const hash = createHash("sha256");
  for (const map of maps) hash.update(new Uint8Array(map.buffer, map.byteOffset, map.byteLength));
  return hash.digest("hex").slice(0, 16);
}

/** A map less the mean of every row. */
function detrended(map: Float32Array): number[] {
  const rest = [...map];
  for (let row = 0; row < SIZE; row++) {
    const line = map.subarray(row * SIZE, (row + 1) * SIZE);
    const mean = line.reduce((a, b) => a + b, 0) / SIZE;
    for (let x = 0; x < SIZE; x++) rest[row * SIZE + x]! -= mean;
  }
  return rest;
}

/** Correlation of a cell with the next one to the right, over all maps. */
function neighbourCorrelation(images: readonly number[][]): number {
  const here: number[] = [];
  const next: number[] = [];
  for (const image of images) {
    for (let i = 0; i + 1 < image.length; i++) {
      if (i % SIZE === SIZE - 1) continue;
      here.push(image[i]!);
      next.push(image[i + 1]!);
    }
  }
  return correlation(here, next);
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (v: readonly number[]) => v.reduce((sum, x) => sum + x, 0) / v.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]! - meanA, b[i]! - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb);
}
