import { describe, expect, it, vi } from "vitest";
import { ForwardModeller, OPENFWI_SURVEY, type SurveyGeometry } from "../../src/physics/index.ts";
import { ricker } from "../../src/physics/ricker.ts";
import { mapOf, relativeError, trace } from "./records.ts";

vi.setConfig({ testTimeout: 120_000 });

/**
 * Pressure at distance `rangeM` in an unbounded homogeneous medium, by the 2-D Green's function:
 * p(t) = dx^2 / (2 pi) * integral over u >= 0 of s(t - r / v cosh u). Step i of the scheme ends at
 * (i + 1) dt.
 */
function greensTrace(survey: SurveyGeometry, velocity: number, rangeM: number): Float64Array {
  const { samples, sampleS, spacingM, peakHz } = survey;
  const half = (ricker(peakHz, sampleS).length - 1) / 2;
  const pulse = (timeS: number) => {
    const phase = Math.PI * peakHz * (timeS - half * sampleS);
    return Math.abs(timeS - half * sampleS) > (half + 0.5) * sampleS
      ? 0
      : (1 - 2 * phase ** 2) * Math.exp(-(phase ** 2));
  };
  const step = 2e-3;
  return Float64Array.from({ length: samples }, (_, i) => {
    const timeS = (i + 1) * sampleS;
    const delayS = rangeM / velocity;
    if (timeS <= delayS) return 0;
    const last = Math.acosh(timeS / delayS);
    const count = Math.ceil(last / step);
    let sum = 0;
    for (let k = 0; k < count; k++) {
      sum += pulse(timeS - delayS * Math.cosh(((k + 0.5) * last) / count));
    }
    return (spacingM ** 2 * sum * (last / count)) / (2 * Math.PI);
  });
}

/** One source and one receiver `rangeM` apart, and 40 cells from the edge of a homogeneous map. */
async function homogeneousTrace(
  spacingM: number,
  sampleS: number,
  velocity: number,
  rangeM: number,
  durationS: number,
  peakHz: number,
): Promise<{ survey: SurveyGeometry; values: Float64Array }> {
  const reach = rangeM / spacingM;
  const survey = {
    ...OPENFWI_SURVEY,
    rows: 81,
    columns: reach + 81,
    peakHz,
    spacingM,
    sampleS,
    samples: Math.round(durationS / sampleS),
    sources: [{ row: 40, column: 40 }],
    receivers: [{ row: 40, column: 40 + reach }],
  };
  const modeller = await ForwardModeller.load({ geometry: survey, boundary: "fast" });
  return { survey, values: trace(modeller.model(mapOf(() => velocity, survey)), survey) };
}

describe("homogeneous medium", () => {
  it.each([3000, 4500])("%i m/s: the direct wave is the Green's function", async (velocity) => {
    const { survey, values } = await homogeneousTrace(10, 0.001, velocity, 400, 0.4, 15);
    expect(relativeError(values, greensTrace(survey, velocity, 400))).toBeLessThan(0.02);
  });

  it.each([1500, 3000, 4500])("%i m/s: the wave needs distance / velocity", async (velocity) => {
    const modeller = await ForwardModeller.load({ boundary: "fast" });
    const record = modeller.model(mapOf(() => velocity));
    const near = peakTime(trace(record, OPENFWI_SURVEY, 0, 10));
    const far = peakTime(trace(record, OPENFWI_SURVEY, 0, 60));
    // Dispersion at 10 cells per wavelength delays the slowest wave by 1.6 ms in 333 ms.
    expect(Math.abs(far - near - 500 / velocity)).toBeLessThan(2e-3);
  });

  it("error falls with the fourth power of the cell size", async () => {
    const errors: number[] = [];
    for (const spacingM of [16, 8]) {
      const { survey, values } = await homogeneousTrace(spacingM, 1.25e-4, 2400, 320, 0.3, 15);
      errors.push(relativeError(values, greensTrace(survey, 2400, 320)));
    }
    const order = Math.log2(errors[0]! / errors[1]!);
    expect(order, `errors ${errors}`).toBeGreaterThan(3.6);
    expect(order, `errors ${errors}`).toBeLessThan(4.5);
  });

  it("error falls with the square of the time step", async () => {
    const traces: Float64Array[] = [];
    // At this frequency the pulse peaks at the same time for all three steps.
    const peakHz = 10.98;
    for (const sampleS of [1e-3, 5e-4, 2.5e-4]) {
      const { values } = await homogeneousTrace(8, sampleS, 2400, 320, 0.3, peakHz);
      const stride = Math.round(1e-3 / sampleS);
      traces.push(values.filter((_, i) => (i + 1) % stride === 0));
    }
    const [coarse, middle, fine] = traces as [Float64Array, Float64Array, Float64Array];
    const order = Math.log2(distance(coarse, middle) / distance(middle, fine));
    expect(order).toBeGreaterThan(1.8);
    expect(order).toBeLessThan(2.2);
  });
});

describe("symmetries", () => {
  const law = (row: number, column: number) =>
    1600 + 31 * row + 500 * Math.sin(column / 6) * Math.cos(row / 9) + (column > 40 ? 600 : 0);

  it.each([
    ["openfwi", 1e-5],
    ["fast", 1e-3],
  ] as const)("%s: source and receiver may be swapped", async (boundary, tolerance) => {
    const [a, b] = [
      { row: 3, column: 6 },
      { row: 55, column: 61 },
    ];
    const geometry = { ...OPENFWI_SURVEY, samples: 700, sources: [a, b], receivers: [a, b] };
    const modeller = await ForwardModeller.load({ boundary, geometry });
    const record = modeller.model(mapOf(law));
    const forth = trace(record, geometry, 0, 1);
    expect(distance(forth, new Float64Array(700))).toBeGreaterThan(0.1);
    expect(relativeError(trace(record, geometry, 1, 0), forth)).toBeLessThan(tolerance);
  });

  it.each(["openfwi", "fast"] as const)(
    "%s: a mirrored map mirrors the record",
    async (boundary) => {
      const sources = [8, 61].map((column) => ({ row: 1, column }));
      const geometry = { ...OPENFWI_SURVEY, samples: 600, sources };
      const modeller = await ForwardModeller.load({ boundary, geometry });
      const record = modeller.model(mapOf(law));
      const mirrored = modeller.model(mapOf((row, column) => law(row, 69 - column)));
      for (const receiver of [0, 20, 69]) {
        const left = trace(record, geometry, 0, receiver);
        const right = trace(mirrored, geometry, 1, 69 - receiver);
        expect(relativeError(right, left)).toBeLessThan(1e-5);
      }
    },
  );
});

describe("source pulse", () => {
  it("is OpenFWI's: 147 samples at 15 Hz and 1 ms, peak 1 at sample 73", () => {
    const pulse = ricker(15, 0.001);
    expect(pulse.length).toBe(147);
    expect(pulse[73]).toBe(1);
    pulse.forEach((value, k) => {
      const b = (Math.PI * 15 * 0.001 * (73 - k)) ** 2;
      expect(Math.abs(value - (1 - 2 * b) * Math.exp(-b))).toBeLessThan(1e-15);
    });
  });
});

/** Time of the largest pressure, s, to a fraction of a sample by a parabola through the peak. */
function peakTime(values: Float64Array): number {
  const top = values.indexOf(Math.max(...values));
  const [before, peak, after] = [values[top - 1]!, values[top]!, values[top + 1]!];
  const shift = (before - after) / (2 * (before - 2 * peak + after));
  return (top + shift) * OPENFWI_SURVEY.sampleS;
}

function distance(a: Float64Array, b: Float64Array): number {
  return Math.hypot(...a.map((value, i) => value - b[i]!));
}
