import { expect, it } from "vitest";
import { CentralDecoder, EdgeEncoder, macCounts } from "../../src/index.ts";
import { ODD, SMALL, tinyModel } from "../library/tinyModel.ts";

it.each([SMALL, ODD])("the config's counts are those of the kernel calls", async (shape) => {
  const model = tinyModel(shape, 2);
  const counts = macCounts(model.config);
  const encoder = await EdgeEncoder.load({ weights: model.edge, module: "scalar" });
  const decoder = await CentralDecoder.load({ weights: model.central, module: "scalar" });
  const stages = [...encoder.stages, ...decoder.stages].map(({ name, macs }) => [name, macs]);
  expect(Object.fromEntries(stages)).toEqual({
    encoder: counts.encoder,
    central: counts.central,
    decoder: counts.decoder,
  });
  const devices = model.config.geometry.devices.length;
  expect(counts.full).toBe(devices * counts.encoder + counts.central + counts.decoder);
});

it("counts by hand for one small network", () => {
  const { encoder, decoder } = macCounts(tinyModel(SMALL, 2).config);
  expect(encoder).toBe(16 * 9 * 8 * 16 + 8 * 3 * 16 * 24 + 8 * 1 * 24 * 8);
  expect(decoder).toBe(36 * 4 * 16 * 16 + 36 * 9 * 16 * 16 + 144 * 4 * 16 * 8 + 110 * 9 * 8);
});
