import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { CentralDecoder } from "../../src/central/decoder.ts";
import { EdgeEncoder } from "../../src/edge/encoder.ts";
import { selectReceivers } from "../../src/edge/receivers.ts";
import { loadModel } from "../../src/io/modelFiles.ts";
import { velocityMap } from "../../src/physics/families/index.ts";
import { ForwardModeller, OPENFWI_SURVEY } from "../../src/physics/index.ts";
import { PhysicsCheck } from "../../src/trust/index.ts";

// Records of full size: half a second each on an idle core with OpenFWI's boundary.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const truth = velocityMap("curvefault-a", 41, 3);
const other = velocityMap("curvefault-a", 41, 4);
/** The true map with its lower half a tenth too fast. */
const nearby = truth.map((velocity, i) => (i < 2450 ? velocity : Math.min(4500, velocity * 1.1)));

let encoder: EdgeEncoder;
let decoder: CentralDecoder;
let check: PhysicsCheck;
let record: Float32Array;
let latents: Int8Array;

beforeAll(async () => {
  const { edge, central } = await loadModel();
  encoder = await EdgeEncoder.load({ weights: edge });
  decoder = await CentralDecoder.load({ weights: central });
  check = await PhysicsCheck.load({ encoder });
  record = await recordOf(truth, "fast");
  latents = encode(record);
});
afterAll(() => check.dispose());

async function recordOf(map: Float32Array, boundary: "fast" | "openfwi"): Promise<Float32Array> {
  const modeller = await ForwardModeller.load({ boundary });
  return modeller.model(map);
}

function encode(data: Float32Array): Int8Array {
  const { shots, samples, receivers, devices } = encoder.config.geometry;
  const parts = devices.flatMap((block, device) => {
    const traces = new Float32Array(shots * samples * block.receivers);
    return [...encoder.encode(selectReceivers(data, receivers, block, traces), { device })];
  });
  return Int8Array.from(parts);
}

describe("the true map", () => {
  it("has no misfit where its records come from the same boundary", () => {
    expect(check.boundary).toBe("fast");
    expect(check.latentMisfit(truth, latents)).toBe(0);
    expect(check.dataMisfit(truth, record)).toBe(0);
  });

  it("has the misfit of the boundaries where they differ, below a wrong map's", async () => {
    const observed = await recordOf(truth, "openfwi");
    const received = encode(observed);
    const data = check.dataMisfit(truth, observed);
    const latent = check.latentMisfit(truth, received);
    // docs/trust.md has the range over many maps.
    expect(data).toBeGreaterThan(1e-5);
    expect(data).toBeLessThan(0.06);
    expect(latent).toBeGreaterThan(0);
    expect(latent).toBeLessThan(check.latentMisfit(other, received));
    expect(data).toBeLessThan(0.2 * check.dataMisfit(other, observed));
    const same = await PhysicsCheck.load({ encoder, boundary: "openfwi" });
    // The check computes only what the wave has reached: rounding is all that is left.
    expect(same.dataMisfit(truth, observed)).toBeLessThan(1e-5);
    expect(same.latentMisfit(truth, received)).toBeLessThan(1e-2);
    same.dispose();
  });
});

describe("wrong maps", () => {
  it("have more misfit the more they are wrong", () => {
    const near = [check.latentMisfit(nearby, latents), check.dataMisfit(nearby, record)] as const;
    const far = [check.latentMisfit(other, latents), check.dataMisfit(other, record)] as const;
    for (const [i, misfit] of near.entries()) {
      expect(misfit).toBeGreaterThan(0.01);
      expect(misfit).toBeLessThan(far[i]!);
    }
    expect(far[1]).toBeGreaterThan(0.1);
  });

  it("get the same figures whichever is asked first, and again after another map", () => {
    const data = check.dataMisfit(nearby, record);
    const latent = check.latentMisfit(nearby, latents);
    check.latentMisfit(other, latents);
    expect(check.latentMisfit(nearby, latents)).toBe(latent);
    expect(check.dataMisfit(nearby, record)).toBe(data);
  });
});

describe("devices that are absent", () => {
  const present = [true, false, true, true, false];

  it("count for nothing, whatever stands in their rows", () => {
    const { slots, channels } = encoder.config.latent;
    const spoilt = latents.slice().fill(99, slots * channels, 2 * slots * channels);
    const silent = record.map((value, i) => (i % 70 >= 56 ? 1e3 : value));
    expect(check.latentMisfit(truth, spoilt, { present })).toBe(0);
    expect(check.latentMisfit(truth, spoilt)).toBeGreaterThan(0);
    expect(check.dataMisfit(truth, silent, { present })).toBe(0);
    expect(check.dataMisfit(truth, silent)).toBeGreaterThan(0);
  });

  it("leave a figure for the decoder's own map", () => {
    const map = decoder.decode(latents, { present }).slice();
    const misfit = check.latentMisfit(map, latents, { present });
    expect(misfit).toBeGreaterThan(0);
    expect(misfit).toBeLessThan(1.5);
  });
});

describe("the last sample", () => {
  it("is left out, as released OpenFWI records hold something else there", () => {
    const { samples, receivers } = encoder.config.geometry;
    const last = (i: number) => Math.floor(i / receivers) % samples === samples - 1;
    const voided = record.map((value, i) => (last(i) ? 77 : value));
    expect(check.dataMisfit(truth, voided)).toBe(0);
  });
});

describe("bad input", () => {
  it("is refused by name", async () => {
    expect(() => check.latentMisfit(truth, latents.subarray(1))).toThrow(/^latents: expected 5120/);
    expect(() => check.dataMisfit(truth, record.subarray(1))).toThrow(/^record: expected 350000/);
    expect(() => check.dataMisfit(truth, record.slice().fill(Number.NaN, 7, 8))).toThrow(
      /^record: expected finite/,
    );
    expect(() => check.dataMisfit(truth.subarray(1), record)).toThrow(/^map: expected 4900/);
    expect(() => check.latentMisfit(truth, latents, { present: [true] })).toThrow(
      /^present: expected 5 flags, got 1/,
    );
    expect(() => check.latentMisfit(truth, latents, { present: Array(5).fill(false) })).toThrow(
      /^present: expected at least one/,
    );
    const geometry = { ...OPENFWI_SURVEY, samples: 900 };
    await expect(PhysicsCheck.load({ encoder, geometry })).rejects.toThrow(
      "geometry samples: expected 1000 as the model has it, got 900",
    );
  });

  it("leaves the check in working order", () => {
    expect(() => check.latentMisfit(truth.slice().fill(-1), latents)).toThrow(/^map: /);
    expect(check.latentMisfit(truth, latents)).toBe(0);
  });
});
