import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { CentralDecoder, EdgeEncoder, WeightsError } from "../../src/index.ts";
import { ModelFile } from "../../src/model/modelFile.ts";
import { SMALL, tinyModel } from "../library/tinyModel.ts";
import { type RawTensor, writeSafetensors } from "../library/writeSafetensors.ts";

const model = tinyModel(SMALL, 5);
const config = JSON.stringify(model.config);

/** The edge half with one tensor replaced, or left out. */
function edgeWith(name: string, tensor: RawTensor | undefined): Uint8Array {
  const tensors = new Map(model.tensors);
  if (tensor === undefined) tensors.delete(name);
  else tensors.set(name, tensor);
  return writeSafetensors(tensors, { format: "epic-edge", config });
}

/** One tensor with one value altered. */
function altered(name: string, index: number, value: number): RawTensor {
  const { shape, data } = model.tensors.get(name)!;
  const copy = data.slice();
  copy[index] = value;
  return { shape, data: copy };
}

function load(weights: Uint8Array): Promise<EdgeEncoder> {
  return EdgeEncoder.load({ weights, module: "scalar" });
}

describe("ModelFile", () => {
  it("identifies a model by the SHA-256 of its edge half", async () => {
    const sha256 = createHash("sha256").update(model.edge).digest("hex");
    const edge = await ModelFile.read(model.edge, "edge");
    const central = await ModelFile.read(model.central, "central");
    expect(edge.edgeSha256).toBe(sha256);
    expect(central.edgeSha256).toBe(sha256);
    expect(edge.modelId).toBe(sha256.slice(0, 16));
    expect((await load(model.edge)).modelId).toBe(edge.modelId);
    const decoder = await CentralDecoder.load({ weights: model.central, module: "scalar" });
    expect(decoder.modelId).toBe(edge.modelId);
  });

  it("refuses one half for the other", async () => {
    await expect(load(model.central)).rejects.toThrow(
      "weights: expected format epic-edge, got epic-central",
    );
    await expect(CentralDecoder.load({ weights: model.edge })).rejects.toThrow(
      "weights: expected format epic-central, got epic-edge",
    );
  });

  it("refuses files without format, config or edge half", async () => {
    const none = writeSafetensors(new Map());
    await expect(load(none)).rejects.toThrow("weights: expected format epic-edge, got none");
    const bare = writeSafetensors(new Map(), { format: "epic-edge" });
    await expect(load(bare)).rejects.toThrow("weights: expected a config, got none");
    for (const extra of [{}, { edge_sha256: "abc" }]) {
      const orphan = writeSafetensors(new Map(), { format: "epic-central", config, ...extra });
      await expect(CentralDecoder.load({ weights: orphan })).rejects.toThrow(
        "weights edge_sha256: expected 64 hex digits",
      );
    }
  });

  it("refuses content that differs from its stated SHA-256", async () => {
    const stated = "0".repeat(64);
    const altered = writeSafetensors(new Map(), {
      format: "epic-edge",
      config,
      content_sha256: stated,
    });
    await expect(load(altered)).rejects.toThrow(
      /^weights: expected content with SHA-256 0{16}, got [0-9a-f]{16}: the file was altered$/,
    );
  });

  it("refuses weights that are no bytes", async () => {
    const weights = "edge.safetensors" as unknown as Uint8Array;
    await expect(load(weights)).rejects.toThrow(
      new TypeError("weights: expected a Uint8Array, got string"),
    );
  });
});

describe("tensors that do not fit the config", () => {
  it.each([
    ["absent", undefined, /^tensor enc1.bias: expected I32 \[24\], got none$/],
    [
      "of another dtype",
      { shape: [24], data: new Float32Array(24) },
      /^tensor enc1.bias: expected I32 \[24\], got F32 \[24\] \(at byte \d+\)$/,
    ],
    [
      "of another shape",
      { shape: [24, 1], data: new Int32Array(24) },
      /^tensor enc1.bias: expected I32 \[24\], got I32 \[24,1\] \(at byte \d+\)$/,
    ],
  ])("%s", async (_, tensor, message) => {
    const error = await load(edgeWith("enc1.bias", tensor)).catch((reason) => reason);
    expect(error).toBeInstanceOf(WeightsError);
    expect(error.message).toMatch(message);
  });

  it("NaN, with the byte where it stands", async () => {
    const weights = edgeWith("enc0.scale", altered("enc0.scale", 3, Number.NaN));
    const error = await load(weights).catch((reason) => reason);
    expect(error.message).toMatch(/^tensor enc0.scale: expected finite values, got NaN at 3/);
    const at = error.byteOffset as number;
    expect(new DataView(weights.buffer).getFloat32(at, true)).toBeNaN();
  });

  it("a weight of -128", async () => {
    await expect(load(edgeWith("enc1.weight", altered("enc1.weight", 9, -128)))).rejects.toThrow(
      "tensor enc1.weight: expected -127..127, got -128 at 9",
    );
  });

  it("sums that could leave int32", async () => {
    await expect(load(edgeWith("enc2.bias", altered("enc2.bias", 1, 2 ** 31 - 1)))).rejects.toThrow(
      /^tensor enc2: expected accumulators within int32, got up to \d+ in channel 1/,
    );
  });
});
