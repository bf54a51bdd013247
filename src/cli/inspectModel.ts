/** `epic inspect` on one half of a model. */
import { readFile } from "node:fs/promises";
import { formatBytes, formatCount } from "../io/format.ts";
import type { ModelConfig } from "../model/config.ts";
import { ModelFile } from "../model/modelFile.ts";
import { readSafetensors, type Safetensors } from "../model/safetensors.ts";
import type { Description } from "./inspect.ts";
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
    ...Object.entries({ ...config.training, ...config.metrics }).map(
      ([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)] as const,
    ),
  ]);
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
    text: `${facts}\n\n${table}`,
    fields: { half, modelId, bytes, weights, config, tensors: list },
  };
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
