import type { ModelFile } from "./modelFile.ts";
import { WeightsError } from "./weightsError.ts";

/** A linear layer as the file holds it: weights in order of use, a bias and a scale per output. */
export interface LayerWeights {
  readonly name: string;
  /** 4 in a transposed convolution, whose phases share bias and scale; else 1. */
  readonly phases: number;
  readonly out: number;
  /** Values of A that one output sums over. */
  readonly k: number;
  /** [phases][out][k] */
  readonly weight: Int8Array;
  readonly bias: Int32Array;
  readonly scale: Float32Array;
}

const INT32_MAX = 2 ** 31 - 1;
const WEIGHT_MAX = 127;

/**
 * Reads the tensors `name.weight`, `name.bias` and `name.scale`.
 * @param shape of the weight: [out, ...], or [phases, out, ...] where `phases` is not 1
 * @param inputMax largest absolute value of the layer's input codes
 * @throws WeightsError when a tensor does not fit, a weight is -128, or an input of `inputMax`
 *   everywhere could drive the int32 accumulator out of its range
 */
export function readLayer(
  file: ModelFile,
  name: string,
  shape: readonly number[],
  inputMax: number,
  phases = 1,
): LayerWeights {
  const out = (phases === 1 ? shape[0] : shape[1])!;
  const layer = {
    name,
    phases,
    out,
    k: shape.reduce((product, size) => product * size, 1) / (phases * out),
    weight: file.tensor(`${name}.weight`, "I8", shape),
    bias: file.tensor(`${name}.bias`, "I32", [out]),
    scale: file.tensor(`${name}.scale`, "F32", [out]),
  };
  checkAccumulators(layer, inputMax);
  return layer;
}

/** The kernels take -127..127 (docs/numbers.md) and never look for overflow: it is ruled out here. */
function checkAccumulators(layer: LayerWeights, inputMax: number): void {
  const bad = layer.weight.indexOf(-128);
  if (bad >= 0) {
    throw new WeightsError(`tensor ${layer.name}.weight: expected -127..127, got -128 at ${bad}`);
  }
  // Most layers are too short to overflow whatever their weights are; summing those costs start-up time.
  if (layer.k * WEIGHT_MAX * inputMax + largest(layer.bias) <= INT32_MAX) return;
  for (let row = 0; row < layer.phases * layer.out; row++) checkRow(layer, row, inputMax);
}

/** Largest absolute value, by the engine's own sort: a loop over all biases would make V8 load its optimising compiler. */
function largest(values: Int32Array): number {
  const sorted = values.slice().sort();
  return Math.max(-sorted[0]!, sorted.at(-1)!);
}

function checkRow(layer: LayerWeights, row: number, inputMax: number): void {
  const channel = row % layer.out;
  let sum = 0;
  for (let i = row * layer.k; i < (row + 1) * layer.k; i++) sum += Math.abs(layer.weight[i]!);
  const worst = sum * inputMax + Math.abs(layer.bias[channel]!);
  if (worst > INT32_MAX) {
    throw new WeightsError(
      `tensor ${layer.name}: expected accumulators within int32, got up to ${worst} in channel ${channel}`,
    );
  }
}
