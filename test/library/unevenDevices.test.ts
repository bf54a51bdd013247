import { describe, expect, it } from "vitest";
import { seededIntegers } from "../../src/engine/seeded.ts";
import { CentralDecoder, EdgeEncoder } from "../../src/index.ts";
import { referenceDecode } from "./referenceForward.ts";
import { enableRelaxedSimd } from "./relaxed.ts";
import { tinyModel, tinyTraces, UNEVEN } from "./tinyModel.ts";

const modules = (["scalar", "simd", "relaxed"] as const).filter(
  (name) => name !== "relaxed" || enableRelaxedSimd(),
);
const uneven = tinyModel(UNEVEN, 31);
const even = tinyModel({ ...UNEVEN, blocks: [14, 14, 14, 14] }, 31);

/** Zeros behind each row, up to the largest device's receivers. */
function fillUp(traces: Float32Array, receivers: number, width: number): Float32Array {
  const wide = new Float32Array((traces.length / receivers) * width);
  traces.forEach((value, i) => {
    wide[Math.floor(i / receivers) * width + (i % receivers)] = value;
  });
  return wide;
}

describe("devices with different numbers of receivers", () => {
  const { config } = uneven;

  it.each(modules)("%s: a receiver that is not there is silent", async (module) => {
    const encoder = await EdgeEncoder.load({ weights: uneven.edge, module });
    const wide = await EdgeEncoder.load({ weights: even.edge, module });
    const latents = new Set<string>();
    // Twice, so that what a larger device left in memory would show.
    for (const device of [0, 1, 2, 3, 2, 0]) {
      const { receivers } = config.geometry.devices[device]!;
      const traces = tinyTraces(config, 50 + device, device);
      const latent = encoder.encode(traces, { device });
      expect(latent).toEqual(wide.encode(fillUp(traces, receivers, 14), { device }));
      latents.add(latent.join());
    }
    expect(latents.size).toBe(4);
  });

  it("wants each device's own number of traces", async () => {
    const encoder = await EdgeEncoder.load({ weights: uneven.edge });
    const traces = tinyTraces(config, 1, 1);
    expect(() => encoder.encode(traces, { device: 0 })).toThrow(/3.*500.*10.*got/);
  });

  it("names the place of a sample that is not finite", async () => {
    const encoder = await EdgeEncoder.load({ weights: uneven.edge });
    const traces = tinyTraces(config, 1, 2);
    traces[(1 * 500 + 7) * 11 + 3] = Number.NaN;
    expect(() => encoder.encode(traces, { device: 2 })).toThrow(
      "traces: expected finite samples, got NaN at shot 1 sample 7 receiver 3",
    );
  });
});

describe.each([1, 16])("%i devices", (devices) => {
  const shape = { ...UNEVEN, devices, blocks: new Array<number>(devices).fill(4), receivers: 4 };
  const { config, tensors, edge, central } = tinyModel(shape, 32);

  it.each(modules)("%s decodes any of them to the reference's bits", async (module) => {
    const decoder = await CentralDecoder.load({ weights: central, module });
    const random = seededIntegers(7);
    const { slots, channels } = config.latent;
    const length = devices * slots * channels;
    const latents = Int8Array.from({ length }, () => random(-127, 127));
    const all = config.geometry.devices.map(() => true);
    const some = all.map((_, device) => device % 3 === 0);
    for (const present of [all, some]) {
      const expected = referenceDecode(config, tensors, latents, present);
      expect(decoder.decode(latents, { present })).toEqual(expected);
    }
  });

  it("encodes the last of them", async () => {
    const encoder = await EdgeEncoder.load({ weights: edge });
    const last = devices - 1;
    const latent = encoder.encode(tinyTraces(config, 3, last), { device: last });
    expect(new Set(latent).size).toBeGreaterThan(10);
    expect(() => encoder.encode(tinyTraces(config, 3), { device: devices })).toThrow(/^device: /);
  });
});
