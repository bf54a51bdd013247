/** `epic inspect` on one half of a model. */
import { readFile } from "node:fs/promises";
import { formatBytes, formatCount } from "../io/format.ts";
import type { ModelConfig } from "../model/config.ts";
import { ModelFile } from "../model/modelFile.ts";
import { readSafetensors, type Safetensors } from "../model/safetensors.ts";
import type { Description } from "./description.ts";
import { formatFacts, formatTable } from "./table.ts";

/** Throws an Error with the path for bytes that are no model half. */
export async function describeModel(path: string): Promise<Description> {
  const bytes = await readFile(path);
  try {
    const file = readSafetensors(bytes);
    const format = file.metadata.get("format");
    const half = format === "epic-central" ? "central" : "edge";
    const { config, modelId } = await ModelFile.read(bytes, half);
    return describe(bytes.length, half, modelId, config, file);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

function describe(
  bytes: number,
  half: "edge" | "central",
  modelId: string,
  config: ModelConfig,
  { tensors }: Safetensors,
): Description {
  const list = [...tensors.values()].map(({ name, dtype, shape, data }) => ({
    name,
    dtype,
    shape,
    bytes: data.byteLength,
  }));
  const weights = list
    .filter(({ name }) => name.endsWith(".weight"))
    .reduce((sum, tensor) => sum + tensor.bytes, 0);
  const facts = formatFacts([
    ["model", `${config.name}, ${half} half, ${formatBytes(bytes)}`],
    [half === "edge" ? "model id" : "of edge model", modelId],
    ["weights", `${formatCount(weights)} int8 values in ${tensors.size} tensors`],
    ...describeGeometry(config),
    ...describeTraining({ ...config.training, ...config.metrics }),
  ]);
  const scores = Object.entries(config.metrics).flatMap(([name, value]) =>
    isScores(value) ? ["", scoreTable(name, value)] : [],
  );
  const table = formatTable(
    ["tensor", "type", "shape", "bytes"],
    list.map(({ name, dtype, shape, bytes: size }) => [
      name,
      dtype,
      shape.join("x"),
      formatCount(size),
    ]),
  );
  return {
    text: [facts, ...scores, "", table].join("\n"),
    fields: { half, modelId, bytes, weights, config, tensors: list },
  };
}

/** What the file says about its training, scores aside. */
function describeTraining(entries: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(entries)
    .filter(([, value]) => !isScores(value))
    .map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
}

type Scores = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Figures by family. */
function isScores(value: unknown): value is Scores {
  if (typeof value !== "object" || value === null) return false;
  const rows = Object.values(value);
  return rows.length > 0 && rows.every((row) => typeof row?.ssim === "number");
}

function scoreTable(name: string, scores: Scores): string {
  return formatTable(
    [name, "n", "SSIM", "MAE", "RMSE"],
    Object.entries(scores).map(([family, { n, ssim, mae, rmse }]) => [
      family,
      n === undefined ? "" : String(n),
      ...[ssim, mae, rmse].map((value) => value?.toFixed(4) ?? ""),
    ]),
  );
}

function describeGeometry({ geometry, latent }: ModelConfig): (readonly [string, string])[] {
  const { shots, samples, receivers, devices, dtMs, dxM, map, velocityMps } = geometry;
  const values = latent.slots * latent.channels;
  return [
    ["record", `${shots} shots, ${samples} samples of ${dtMs} ms, ${receivers} receivers`],
    ["devices", devices.map(({ receivers: count }) => count).join(" + ")],
    ["latent", `${latent.slots} x ${latent.channels} = ${formatBytes(values)} per device`],
    ["map", `${map.join(" x ")} cells of ${dxM} m, ${velocityMps.join(" to ")} m/s`],
  ];
}
