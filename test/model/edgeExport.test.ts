import { describe, expect, it } from "vitest";
import { crc32 } from "../../src/engine/crc32.ts";
import { edgeModules } from "../../src/engine/edgeModules.ts";
import type { ModuleName } from "../../src/engine/kernels.ts";
import { openModule } from "../../src/engine/openModule.ts";
import { EdgeEncoder } from "../../src/index.ts";
import { type EdgeExport, exportEdge } from "../../src/model/edgeExport.ts";
import { ModelFile } from "../../src/model/modelFile.ts";
import { enableRelaxedSimd } from "../library/relaxed.ts";
import { ODD, SMALL, tinyModel, tinyTraces, UNEVEN } from "../library/tinyModel.ts";

const modules = (["scalar", "simd", "relaxed"] as const).filter(
  (name) => name !== "relaxed" || enableRelaxedSimd(),
);
const models = {
  small: tinyModel(SMALL, 21),
  odd: tinyModel(ODD, 22),
  uneven: tinyModel(UNEVEN, 23),
};

/** What docs/abi.md tells a host to do, in the fewest words, and nothing of the engine's. */
async function openHost(name: ModuleName, { plan, image }: EdgeExport) {
  const { instance } = await WebAssembly.instantiate(await edgeModules.source[name](), {});
  const exports = instance.exports as Record<string, (...args: number[]) => number>;
  const memory = instance.exports.memory as WebAssembly.Memory;
  const missing = plan.memory.bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65536));
  const bytes = new Uint8Array(memory.buffer);
  for (const { address, offset, bytes: length } of plan.memory.segments) {
    bytes.set(image.subarray(offset, offset + length), address);
  }
  return (traces: Float32Array): Int8Array => {
    new Float32Array(memory.buffer, plan.traces.address).set(traces);
    for (const call of plan.calls) exports[call.export]!(...call.args);
    const [slots, channels] = plan.latent.shape as [number, number];
    return new Int8Array(memory.buffer, plan.latent.address, slots * channels).slice();
  };
}

async function exportOf(name: ModuleName, weights: Uint8Array): Promise<EdgeExport> {
  const file = await ModelFile.read(weights, "edge");
  return exportEdge(await openModule(edgeModules, { module: name }), file);
}

describe.each(Object.entries(models))("the %s model as a plan", (_, model) => {
  it.each(modules)("%s: a host with nothing but the plan has the encoder's bits", async (name) => {
    const exported = await exportOf(name, model.edge);
    const encode = await openHost(name, exported);
    const encoder = await EdgeEncoder.load({ weights: model.edge, module: name });
    const [, , width] = exported.plan.traces.shape as [number, number, number];
    const device = model.config.geometry.devices.findIndex(({ receivers }) => receivers === width);
    for (const seed of [1, 2]) {
      const traces = tinyTraces(model.config, seed, device);
      const latent = encode(traces);
      expect(latent).toEqual(encoder.encode(traces, { device }));
      expect(new Set(latent).size).toBeGreaterThan(10);
    }
  });

  it.each(modules)("%s: the check value is that of the traces it describes", async (name) => {
    const exported = await exportOf(name, model.edge);
    const { check, traces } = exported.plan;
    expect(check.traces).toBe("(i * 7919 mod 2048 - 1024) / 512");
    const count = traces.shape.reduce((product, size) => product * size, 1);
    const values = Float32Array.from(
      { length: count },
      (_, i) => (((i * 7919) % 2048) - 1024) / 512,
    );
    const latent = (await openHost(name, exported))(values);
    expect(check.latentCrc32).toBe(crcOf(latent));
  });
});

describe("a plan", () => {
  it("does not overlap, and leaves traces, latent and the module's constants to others", async () => {
    const { plan, image } = await exportOf("simd", models.small.edge);
    let [end, offset] = [0, 0];
    for (const segment of plan.memory.segments) {
      expect(segment.address).toBeGreaterThanOrEqual(end);
      expect(segment.offset).toBe(offset);
      end = segment.address + segment.bytes;
      offset += segment.bytes;
      for (const { address } of [plan.traces, plan.latent]) {
        expect(address < segment.address || address >= end).toBe(true);
      }
    }
    expect(end).toBeLessThanOrEqual(plan.memory.bytes);
    expect(offset).toBe(image.length);
  });

  it("carries f32 arguments that f32 holds exactly", async () => {
    const { plan } = await exportOf("scalar", models.small.edge);
    const input = plan.calls.find((call) => call.export === "input_stage")!;
    expect(input.f32).toEqual([7, 8, 9]);
    for (const value of input.args.slice(7, 10)) expect(Math.fround(value)).toBe(value);
    for (const { args, f32 } of plan.calls) {
      args.forEach((arg, i) => {
        if (!f32.includes(i)) expect(arg | 0).toBe(arg);
      });
    }
  });

  it("is the same from run to run", async () => {
    const [a, b] = [
      await exportOf("simd", models.odd.edge),
      await exportOf("simd", models.odd.edge),
    ];
    expect(a).toEqual(b);
  });
});

function crcOf(latent: Int8Array): string {
  return crc32(new Uint8Array(latent)).toString(16).padStart(8, "0");
}
