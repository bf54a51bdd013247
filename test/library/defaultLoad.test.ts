import { expect, it, vi } from "vitest";
import { CentralDecoder, EdgeEncoder } from "../../src/index.ts";
import type { LoadOptions } from "../../src/model/loadOptions.ts";
import { SMALL, tinyModel } from "./tinyModel.ts";

const model = vi.hoisted(() => ({ halves: [] as string[], buffers: [] as ArrayBuffer[] }));

/** Stands for the package's folder; the modules come from where a bundle has them. */
vi.mock("../../src/engine/packageFile.ts", () => ({
  readPackageFile: (path: string) => {
    const half = /^weights\/epic-base\/(edge|central)\.safetensors$/.exec(path)?.[1];
    return half === undefined ? undefined : take(half as "edge" | "central");
  },
}));

function take(half: "edge" | "central"): Uint8Array<ArrayBuffer> {
  model.halves.push(half);
  const bytes = resizable(tinyModel(SMALL, 31)[half]);
  model.buffers.push(bytes.buffer);
  return bytes;
}

/** A copy in a buffer that can be given back. */
function resizable(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const options = [bytes.length, { maxByteLength: bytes.length }];
  const copy = new Uint8Array(Reflect.construct(ArrayBuffer, options) as ArrayBuffer);
  copy.set(bytes);
  return copy;
}

it("without weights, each half asks the package for its own file and no other", async () => {
  const encoder = await EdgeEncoder.load();
  expect(model.halves).toEqual(["edge"]);
  const decoder = await CentralDecoder.load();
  expect(model.halves).toEqual(["edge", "central"]);
  expect(decoder.modelId).toBe(encoder.modelId);
});

it("gives back the memory of the package's own weights, and not the caller's", async () => {
  const { edge, central } = tinyModel(SMALL, 31);
  const [own, ownCentral] = [resizable(edge), resizable(central)];
  const wanted = await runBoth({ weights: own }, { weights: ownCentral });
  expect([own, ownCentral]).toEqual([edge, central]);
  model.buffers.length = 0;
  expect(await runBoth({}, {})).toEqual(wanted);
  expect(model.buffers.map(({ byteLength }) => byteLength)).toEqual([0, 0]);
});

async function runBoth(edge: LoadOptions, central: LoadOptions): Promise<unknown[]> {
  const [encoder, decoder] = [await EdgeEncoder.load(edge), await CentralDecoder.load(central)];
  const { shots, samples, devices } = encoder.config.geometry;
  const traces = new Float32Array(shots * samples * devices[0]!.receivers).fill(0.5);
  const latent = encoder.encode(traces, { device: 0 });
  const latents = new Int8Array(devices.length * latent.length).fill(3);
  return [latent, decoder.decode(latents), encoder.modelId, decoder.modelId];
}
