import type { EdgeExports } from "../engine/kernels.ts";
import type { Build } from "./build.ts";
import type { Conv1dLayer, InputStage } from "./config.ts";
import { fitsPairs, pairsStep, type Sequence } from "./conv1dPairs.ts";
import { readLayer } from "./layerWeights.ts";
import { linearStep, placeLayer, type Rows } from "./linear.ts";
import type { ModelFile } from "./modelFile.ts";
import { placeRows } from "./offsets.ts";
import { countOf, edgeRows, inputRows, latentShape, traceShape } from "./shapes.ts";
import { type KernelStep, kernelStep } from "./step.ts";
import { CODE_MAX, moduleStorage } from "./storage.ts";

/** The encoder as kernel calls over fixed places in module memory. */
export interface EdgePlan {
  /** f32 [shots][samples][receivers]: the caller writes one device's traces here. */
  readonly traces: number;
  /** int8 [slots][channels]: here the last step leaves the latent. */
  readonly latent: number;
  readonly steps: readonly KernelStep[];
  /** What each layer leaves, in order; layer i is step i + 1. */
  readonly activations: readonly Activation[];
}

/** A layer's output in module memory: its first row, without the zero rows around it. */
export interface Activation {
  readonly address: number;
  readonly rows: number;
  readonly rowBytes: number;
}

/** @throws WeightsError when the file's tensors are not those its config describes */
export function planEdge(build: Build<EdgeExports>, file: ModelFile): EdgePlan {
  const { config } = file;
  const { layers } = config.edge;
  const traces = build.arena.alloc(countOf(traceShape(config)) * 4);
  const rows = edgeRows(config);
  let input = allocSequence(build, inputRows(config), layers[0]!.in, "s16", layers[0]!.padding);
  const steps: KernelStep[] = [inputStep(build, file, traces, input)];
  const activations: Activation[] = [];
  layers.forEach((layer, i) => {
    const count = rows[i]!;
    const halo = layers[i + 1]?.padding ?? 0;
    const output = allocSequence(build, count, layer.out, layer.output, halo);
    steps.push(conv1dStep(build, file, layer, count, input, output));
    const { address, rowBytes } = output;
    activations.push({ address: address + halo * rowBytes, rows: count, rowBytes });
    input = output;
  });
  const latent = build.arena.alloc(countOf(latentShape(config)));
  steps.push(packStep(build, input.address, latent, countOf(latentShape(config))));
  return { traces, latent, steps, activations };
}

function allocSequence(
  build: Build,
  rows: number,
  channels: number,
  element: Conv1dLayer["input"] | Conv1dLayer["output"],
  halo: number,
): Sequence {
  const storage = moduleStorage(element, build.name);
  const rowBytes = channels * storage.bytes;
  return { address: build.arena.alloc((rows + 2 * halo) * rowBytes), rowBytes, halo, storage };
}

function inputStep(
  { exports, arena }: Build<EdgeExports>,
  { config }: ModelFile,
  traces: number,
  output: Sequence,
): KernelStep {
  const [shots, samples, receivers] = traceShape(config);
  const { decimation, taps } = config.input;
  const [gain, compand, step] = roundToF32(config.input);
  const out = output.address + output.halo * output.rowBytes;
  return kernelStep(
    exports.input_stage,
    "input_stage",
    [
      ...([traces, shots, samples, receivers] as const),
      ...([arena.place(Float32Array.from(taps)), taps.length, decimation] as const),
      ...([gain, compand, step, out, inputRows(config), output.rowBytes] as const),
    ],
    { name: "input", macs: 0 },
    [7, 8, 9],
  );
}

/** What the call would round, rounded here, so that a plan holds the values that are used. */
function roundToF32({ gain, compand, step }: InputStage): [number, number, number] {
  return [Math.fround(gain), Math.fround(compand), Math.fround(step)];
}

function conv1dStep(
  build: Build<EdgeExports>,
  file: ModelFile,
  layer: Conv1dLayer,
  count: number,
  input: Sequence,
  output: Sequence,
): KernelStep {
  const { arena } = build;
  const isFirst = layer === file.config.edge.layers[0];
  const inputMax = isFirst ? CODE_MAX.trace : CODE_MAX[layer.input];
  const weights = readLayer(file, layer.name, [layer.out, layer.kernel, layer.in], inputMax);
  if (fitsPairs(build, layer, count, input.storage)) {
    return pairsStep(build, { layer, weights, count, input, output });
  }
  const placed = placeLayer(build, weights, input.storage);
  const from: Rows = {
    address: input.address,
    table: placeRows(arena, count, (row) => row * layer.stride * input.rowBytes),
  };
  const to: Rows = {
    address: output.address,
    table: placeRows(arena, count, (row) => (output.halo + row) * output.rowBytes),
  };
  return linearStep(build, placed, from, { ...to, storage: output.storage });
}

function packStep(
  { exports }: Build<EdgeExports>,
  from: number,
  latent: number,
  count: number,
): KernelStep {
  return kernelStep(exports.pack_s8, "pack_s8", [from, latent, count], {
    name: "latent",
    macs: 0,
  });
}
