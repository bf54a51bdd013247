import { describe, expect, it } from "vitest";
import { CentralDecoder, EdgeEncoder } from "../../src/index.ts";
import { referenceDecode, referenceEncode } from "./referenceForward.ts";
import { enableRelaxedSimd } from "./relaxed.ts";
import { ODD, SMALL, tinyModel, tinyTraces } from "./tinyModel.ts";

const modules = (["scalar", "simd", "relaxed"] as const).filter(
  (name) => name !== "relaxed" || enableRelaxedSimd(),
);
const models = [
  { name: "three devices", model: tinyModel(SMALL, 11) },
  { name: "odd sizes, four devices, two cross blocks", model: tinyModel(ODD, 12) },
  { name: "bytes behind the norms", model: tinyModel({ ...SMALL, activations: "u7" }, 13) },
  {
    name: "bytes, small sums, odd sizes",
    model: tinyModel({ ...ODD, activations: "u7", denseWeightMax: 64 }, 14),
  },
];

describe.each(models)("$name", ({ model }) => {
  const { config, tensors } = model;
  const devices = config.geometry.devices.length;
  const expectedLatents = Array.from({ length: devices }, (_, device) =>
    referenceEncode(config, tensors, tinyTraces(config, 100 + device)),
  );
  const latents = Int8Array.from(expectedLatents.flatMap((latent) => [...latent]));
  const masks = Array.from({ length: 2 ** devices - 1 }, (_, bits) =>
    Array.from({ length: devices }, (_, device) => ((bits + 1) & (1 << device)) !== 0),
  );
  const expectedMaps = masks.map((present) => referenceDecode(config, tensors, latents, present));

  it("exercises its number ranges", () => {
    expect(new Set(latents).size).toBeGreaterThan(60);
    const velocities = new Set(expectedMaps.at(-1));
    expect(velocities.size).toBeGreaterThan(config.geometry.map[0] * config.geometry.map[1] * 0.6);
    expect(new Set(expectedMaps.map((map) => map.join())).size).toBe(masks.length);
  });

  it.each(modules)("%s encodes to the reference's bits", async (module) => {
    const encoder = await EdgeEncoder.load({ weights: model.edge, module });
    expectedLatents.forEach((expected, device) => {
      expect(encoder.encode(tinyTraces(config, 100 + device), { device })).toEqual(expected);
    });
    encoder.warmup();
    expect(encoder.encode(tinyTraces(config, 100), { device: 0 })).toEqual(expectedLatents[0]);
  });

  it.each(modules)("%s decodes every set of devices to the reference's bits", async (module) => {
    const decoder = await CentralDecoder.load({ weights: model.central, module });
    masks.forEach((present, i) => {
      expect(decoder.decode(latents, { present })).toEqual(expectedMaps[i]);
    });
    decoder.warmup();
    expect(decoder.decode(latents)).toEqual(expectedMaps.at(-1));
  });

  it("ignores the rows of absent devices", async () => {
    const decoder = await CentralDecoder.load({ weights: model.central });
    const present = masks[1]!;
    const count = latents.length / devices;
    const altered = latents.map((code, i) => (present[Math.floor(i / count)] ? code : 127 - code));
    expect(decoder.decode(altered, { present })).toEqual(expectedMaps[1]);
  });
});
