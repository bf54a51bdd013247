import { describe, expect, it } from "vitest";
import { CentralDecoder } from "../../src/index.ts";
import { SMALL, type TinyModel, tinyModel } from "./tinyModel.ts";
import { type RawTensor, writeSafetensors } from "./writeSafetensors.ts";

const model = tinyModel({ ...SMALL, activations: "u7" }, 17);

/** The central file of `model`, with some of its tensors or its config replaced. */
function altered(
  tensors: Readonly<Record<string, RawTensor | undefined>>,
  config: Partial<TinyModel["config"]["central"]> = {},
): Uint8Array {
  const kept = new Map(model.tensors);
  for (const [name, tensor] of Object.entries(tensors)) {
    if (tensor) kept.set(name, tensor);
    else kept.delete(name);
  }
  return writeSafetensors(kept, {
    format: "epic-central",
    config: JSON.stringify({
      ...model.config,
      central: { ...model.config.central, ...config },
    }),
    edge_sha256: "0".repeat(64),
  });
}

const width = model.config.central.width;

describe("activations u7: what a file may hold", () => {
  it("loads as it was written", async () => {
    const decoder = await CentralDecoder.load({ weights: altered({}) });
    expect(decoder.config.central.activations).toBe("u7");
  });

  it.each([
    ["context.norm.zero", -1],
    ["fusion1.attention.zero", 128],
  ])("refuses a zero that is no code: %s of %d", async (name, value) => {
    const data = new Int32Array(width);
    data[3] = value;
    const weights = altered({ [name]: { shape: [width], data } });
    await expect(CentralDecoder.load({ weights })).rejects.toThrow(
      `tensor ${name}: expected 0..127, got ${value} at 3`,
    );
  });

  it("names a scale that is missing", async () => {
    const weights = altered({ "cross0.mlp.norm.scale": undefined });
    await expect(CentralDecoder.load({ weights })).rejects.toThrow(
      `tensor cross0.mlp.norm.scale: expected F32 [${width}], got none`,
    );
  });

  it("refuses codes that it does not know, and the older form without its scale", async () => {
    const other = altered({}, { activations: "s8" as "u7" });
    await expect(CentralDecoder.load({ weights: other })).rejects.toThrow(
      /^config\.central\.activations: expected .*s16.*u7.*, got .*s8/,
    );
    const older = altered({}, { activations: "s16" });
    await expect(CentralDecoder.load({ weights: older })).rejects.toThrow(
      /^config\.central\.attention\.fusion0\.outScale: expected a finite number above 0/,
    );
  });
});
