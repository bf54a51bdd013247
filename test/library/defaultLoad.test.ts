import { expect, it, vi } from "vitest";
import { CentralDecoder, EdgeEncoder } from "../../src/index.ts";
import { SMALL, tinyModel } from "./tinyModel.ts";

const model = vi.hoisted(() => ({ halves: [] as string[] }));

// In Node both names are one module: src/io/defaultWeights.ts.
vi.mock("#edge-weights", () => ({
  loadEdgeWeights: async () => take("edge"),
  loadCentralWeights: async () => take("central"),
}));

function take(half: "edge" | "central"): Uint8Array {
  model.halves.push(half);
  return tinyModel(SMALL, 31)[half];
}

it("without weights, each half asks the package for its own file and no other", async () => {
  const encoder = await EdgeEncoder.load();
  expect(model.halves).toEqual(["edge"]);
  const decoder = await CentralDecoder.load();
  expect(model.halves).toEqual(["edge", "central"]);
  expect(decoder.modelId).toBe(encoder.modelId);
});
