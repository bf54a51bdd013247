import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CentralDecoder, EdgeEncoder, macCounts, readSafetensors } from "../../src/index.ts";
import { enableRelaxedSimd } from "./relaxed.ts";

/**
 * The trained models against their training side: train/export.py runs the same integers in NumPy
 * over one simulated record and writes what must come out, bit for bit.
 */
const folder = new URL("../vectors/model/", import.meta.url);
const models = readdirSync(folder).map((file) => file.replace(/\.safetensors$/, ""));

const modules = (["scalar", "simd", "relaxed"] as const).filter(
  (name) => name !== "relaxed" || enableRelaxedSimd(),
);

describe.each(models)("%s against train/export.py", (name) => {
  const weights = new URL(`../../weights/${name}/`, import.meta.url);
  const vectors = new URL(`${name}.safetensors`, folder);
  const edge = readFileSync(new URL("edge.safetensors", weights));
  const central = readFileSync(new URL("central.safetensors", weights));
  const { tensors, metadata } = readSafetensors(readFileSync(vectors));
  const data = (name: string) => tensors.get(name)!.data;
  const subsets = JSON.parse(metadata.get("subsets")!) as Record<string, number[]>;

  it("both halves are of one model", async () => {
    const encoder = await EdgeEncoder.load({ weights: edge });
    const decoder = await CentralDecoder.load({ weights: central });
    expect(decoder.modelId).toBe(encoder.modelId);
    for (const shared of ["geometry", "latent", "input", "edge"] as const) {
      expect(decoder.config[shared]).toEqual(encoder.config[shared]);
    }
    const { macs } = decoder.config.training;
    if (macs !== undefined) expect(macCounts(decoder.config)).toEqual(macs);
  });

  it.each(modules)("%s encodes every device to its latent", async (module) => {
    const encoder = await EdgeEncoder.load({ weights: edge, module });
    const { shots, samples, receivers, devices } = encoder.config.geometry;
    const traces = Float32Array.from(
      data("traces"),
      (code) => code * Number(metadata.get("traceStep")),
    );
    const latents = data("latents");
    devices.forEach(({ firstReceiver, receivers: count }, device) => {
      const block = Float32Array.from({ length: shots * samples * count }, (_, i) => {
        const receiver = firstReceiver + (i % count);
        return traces[Math.floor(i / count) * receivers + receiver]!;
      });
      const length = latents.length / devices.length;
      const expected = latents.subarray(device * length, (device + 1) * length);
      expect(encoder.encode(block, { device })).toEqual(expected);
    });
  });

  it.each(modules)("%s decodes with all and with missing devices", async (module) => {
    const decoder = await CentralDecoder.load({ weights: central, module });
    const latents = data("latents") as Int8Array;
    for (const [subset, flags] of Object.entries(subsets)) {
      const present = flags.map((flag) => flag === 1);
      expect(decoder.decode(latents, { present }), subset).toEqual(data(`map.${subset}`));
    }
    expect(decoder.decode(data("latents.random") as Int8Array)).toEqual(data("map.random"));
  });
});
