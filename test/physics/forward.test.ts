import { readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { readNpy } from "../../src/io/npy.ts";
import {
  ForwardModeller,
  type GridPoint,
  OPENFWI_SURVEY,
  type SurveyGeometry,
} from "../../src/physics/index.ts";
import { leapfrogRecord } from "./leapfrog.ts";
import { mapOf, relativeError } from "./records.ts";

// One map of full size is half a second of work on an idle core.
vi.setConfig({ testTimeout: 120_000 });

const vectors = new URL("../vectors/physics/", import.meta.url).pathname;
const index = JSON.parse(readFileSync(`${vectors}index.json`, "utf8")) as {
  maps: string[];
  samples: number[];
  receivers: number[];
};

/** A small survey of any size with sources and receivers off the diagonal. */
function smallSurvey(rows: number, columns: number, samples: number): SurveyGeometry {
  const sources = [
    { row: 2, column: columns - 3 },
    { row: rows - 1, column: 0 },
  ];
  const receivers = [0, 1, columns - 1].map((column, i) => ({ row: i % rows, column }));
  return { ...OPENFWI_SURVEY, rows, columns, samples, sources, receivers };
}

function blocks(survey: SurveyGeometry): Float32Array {
  return mapOf((row, column) => 1500 + ((row * 7 + column * 3) % 11) * 270, survey);
}

describe("golden vectors of train/reference_fd.py (float64)", () => {
  it.each(index.maps)("%s", async (name) => {
    const modeller = await ForwardModeller.load();
    const map = await readNpy(`${vectors}${name}.map.npy`);
    const expected = await readNpy(`${vectors}${name}.record.npy`);
    const record = modeller.model(map.data);
    const { samples, receivers } = OPENFWI_SURVEY;
    const kept = Array.from({ length: 5 }, (_, shot) =>
      index.samples.flatMap((sample) =>
        index.receivers.map((r) => record[(shot * samples + sample) * receivers.length + r]!),
      ),
    ).flat();
    expect(expected.shape).toEqual([5, index.samples.length, index.receivers.length]);
    // The tolerance of the scheme is 1e-4; rounding takes under 1e-6 of it (measured: 6e-7).
    expect(relativeError(kept, expected.data)).toBeLessThan(2e-6);
  });
});

describe("the scheme on other grids", () => {
  it.each([
    [5, 4],
    [9, 5],
    [6, 18],
    [11, 27],
  ])("%i x %i cells agree with float64", async (rows, columns) => {
    const geometry = smallSurvey(rows, columns, 100);
    const modeller = await ForwardModeller.load({ geometry });
    const map = blocks(geometry);
    expect(relativeError(modeller.model(map), leapfrogRecord(geometry, map))).toBeLessThan(2e-6);
  });

  it("wraps round at the outer edge, as the reference does", async () => {
    // A slow corner sets a weak sponge for a fast map: the wave crosses it and comes back.
    const geometry = { ...smallSurvey(6, 6, 500), sources: [{ row: 3, column: 3 }] };
    const modeller = await ForwardModeller.load({ geometry });
    const map = mapOf((row, column) => (row + column === 0 ? 300 : 4500), geometry);
    expect(relativeError(modeller.model(map), leapfrogRecord(geometry, map))).toBeLessThan(5e-6);
  });
});

describe("scalar and simd modules give the same bits", () => {
  it.each(["openfwi", "fast"] as const)("%s", async (boundary) => {
    const geometry = smallSurvey(13, 41, 300);
    const map = blocks(geometry);
    const scalar = await ForwardModeller.load({ boundary, geometry, module: "scalar" });
    const simd = await ForwardModeller.load({ boundary, geometry, module: "simd" });
    expect(bytes(simd.model(map))).toEqual(bytes(scalar.model(map)));
  });
});

describe("boundary fast", () => {
  const geometry = { ...OPENFWI_SURVEY, sources: OPENFWI_SURVEY.sources.slice(1, 3) };
  const slowOnTop: Record<string, Float32Array> = {
    homogeneous: mapOf(() => 3000),
    layered: mapOf((row) => [1700, 2100, 2900, 3600, 4400][Math.floor(row / 14)]!),
    faulted: mapOf((row, column) => (row + (column > 30 ? 12 : 0) < 40 ? 1800 : 3900)),
    smooth: mapOf((row, column) => 1800 + 30 * row + 300 * Math.sin(column / 8)),
  };
  const fastOnTop = mapOf((row) => (row < 20 ? 4000 : row < 45 ? 1900 : 3200));

  it.each(Object.entries(slowOnTop))("%s: within 5e-3 of openfwi", async (_, map) => {
    const fast = await ForwardModeller.load({ boundary: "fast", geometry });
    const openfwi = await ForwardModeller.load({ geometry });
    const difference = relativeError(beforeLast(fast.model(map)), beforeLast(openfwi.model(map)));
    expect(difference).toBeLessThan(5e-3);
    expect(difference).toBeGreaterThan(1e-6);
  });

  // The sponge is scaled to the slowest velocity. Where the surface is fast, 2 % of the record has
  // passed it and come round the grid by 0.9 s. The truth is the same map continued so far that
  // nothing returns.
  it("fast surface: nearer than openfwi to a grid without an edge", async () => {
    const truth = await modelContinued(fastOnTop, geometry);
    const fast = await ForwardModeller.load({ boundary: "fast", geometry });
    const openfwi = await ForwardModeller.load({ geometry });
    expect(relativeError(fast.model(fastOnTop), truth)).toBeLessThan(1.5e-3);
    expect(relativeError(openfwi.model(fastOnTop), truth)).toBeGreaterThan(5e-3);
  });

  it("computes less than a fifth of the cells", async () => {
    const fast = await ForwardModeller.load({ boundary: "fast", geometry });
    const openfwi = await ForwardModeller.load({ geometry });
    fast.model(fastOnTop);
    openfwi.model(fastOnTop);
    expect(openfwi.cellUpdates / fast.cellUpdates).toBeGreaterThan(5);
  });
});

/** The record of a map whose edge values go on for 2 km on every side. */
async function modelContinued(map: Float32Array, survey: SurveyGeometry): Promise<Float32Array> {
  const margin = 200;
  const shift = ({ row, column }: GridPoint) => ({ row: row + margin, column: column + margin });
  const geometry = {
    ...survey,
    rows: survey.rows + 2 * margin,
    columns: survey.columns + 2 * margin,
    sources: survey.sources.map(shift),
    receivers: survey.receivers.map(shift),
  };
  const inside = (i: number, count: number) => Math.min(Math.max(i - margin, 0), count - 1);
  const continued = mapOf(
    (row, column) =>
      map[inside(row, survey.rows) * survey.columns + inside(column, survey.columns)]!,
    geometry,
  );
  const modeller = await ForwardModeller.load({ boundary: "fast", geometry });
  return modeller.model(continued);
}

describe("ForwardModeller", () => {
  const geometry = smallSurvey(12, 14, 60);

  it("gives the same record again, in the array it is given, without growing", async () => {
    const modeller = await ForwardModeller.load({ geometry, boundary: "fast" });
    const map = blocks(geometry);
    const first = modeller.model(map);
    const memoryBytes = modeller.memoryBytes;
    const out = new Float32Array(modeller.recordLength).fill(7);
    modeller.model(
      mapOf(() => 4400, geometry),
      out,
    );
    expect(modeller.model(map, out)).toBe(out);
    expect(bytes(out)).toEqual(bytes(first));
    expect(modeller.memoryBytes).toBe(memoryBytes);
  });

  it("refuses maps that cannot be modelled", async () => {
    const modeller = await ForwardModeller.load({ geometry });
    const model = (at: number, velocity: number) => {
      const map = blocks(geometry);
      map[at] = velocity;
      return () => modeller.model(map);
    };
    expect(model(15, Number.NaN)).toThrow(/finite positive .* got NaN at row 1, column 1/);
    expect(model(0, Number.POSITIVE_INFINITY)).toThrow(/got Infinity at row 0, column 0/);
    expect(model(167, 0)).toThrow(RangeError);
    expect(model(167, -1500)).toThrow(/got -1500 at row 11, column 13/);
    expect(model(3, 6130)).toThrow(/expected velocities up to 6124 m\/s .* got 6130/);
    expect(model(3, 6120)).not.toThrow();
    expect(() => modeller.model(new Float32Array(4900))).toThrow(/168 velocities, got 4900/);
    expect(() => modeller.model(blocks(geometry), new Float32Array(3))).toThrow(
      /out: expected 360/,
    );
  });

  it("refuses surveys that cannot be modelled", async () => {
    const load = (change: Partial<SurveyGeometry>) =>
      ForwardModeller.load({ geometry: { ...geometry, ...change } });
    await expect(load({ rows: 0 })).rejects.toThrow(
      "survey rows: expected a positive integer, got 0",
    );
    await expect(load({ samples: 2.5 })).rejects.toThrow(RangeError);
    await expect(load({ sampleS: Number.NaN })).rejects.toThrow(/sampleS/);
    await expect(load({ peakHz: 0 })).rejects.toThrow(/peakHz/);
    await expect(load({ sources: [] })).rejects.toThrow(/sources: expected some, got none/);
    await expect(load({ receivers: [{ row: 1, column: 14 }] })).rejects.toThrow(/12 x 14 map/);
  });

  it("models nothing once disposed", async () => {
    const modeller = await ForwardModeller.load({ geometry });
    modeller.dispose();
    expect(modeller.memoryBytes).toBe(0);
    expect(() => modeller.model(blocks(geometry))).toThrow(/disposed/);
  });
});

/** Samples 0 to 998: the last sample of released OpenFWI records is void. */
function beforeLast(record: Float32Array): Float32Array {
  const { samples, receivers } = OPENFWI_SURVEY;
  const row = receivers.length;
  return record.filter((_, i) => Math.floor(i / row) % samples < samples - 1);
}

function bytes(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
