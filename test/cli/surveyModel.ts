/** A random model with OpenFWI's survey, small enough for tests, in a folder as `--model` wants it. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TinyModel, type TinyShape, tinyModel } from "../library/tinyModel.ts";

export const SURVEY: TinyShape = {
  shots: 5,
  samples: 1000,
  receivers: 14,
  devices: 5,
  decimation: 8,
  taps: 13,
  edge: [
    { out: 16, kernel: 9, stride: 4, padding: 4 },
    { out: 8, kernel: 5, stride: 4, padding: 2 },
  ],
  slots: 8,
  width: 16,
  heads: 2,
  mlp: 16,
  fusionBlocks: 1,
  crossBlocks: 1,
  grid: [9, 9],
  decoder: [
    { kind: "convT2d", out: 8 },
    { kind: "convT2d", out: 8 },
    { kind: "convT2d", out: 8 },
    { kind: "conv2d", out: 1 },
  ],
  map: [70, 70],
};

/** Writes both halves into `folder`, which is made. */
export async function writeSurveyModel(folder: string, seed: number): Promise<TinyModel> {
  const model = tinyModel(SURVEY, seed);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "edge.safetensors"), model.edge);
  await writeFile(join(folder, "central.safetensors"), model.central);
  return model;
}
