import { type CentralExports, roundUp } from "../engine/kernels.ts";
import type { Build } from "./build.ts";
import type { LayerWeights } from "./layerWeights.ts";
import type { Rows } from "./linear.ts";
import { type KernelStep, kernelStep } from "./step.ts";
import { isBytes, type Storage } from "./storage.ts";

/** Rows of a 3x3 kernel: runs of the image that one pixel sums over. */
const SEGMENTS = 3;

/** Bytes of a segment are a multiple of this: what the kernels take at a time. */
const STEP_BYTES = { conv_velocity_s16: 32, conv_velocity_u7: 16 } as const;

/**
 * The decoder's last layer, whose one channel is the velocity.
 * @param layer of one output channel
 * @param input where the pixels of the map start in the image, and the bytes from row to row of it
 * @param output the map, f32 with room for all rows of the table, and what it is clamped to, m/s
 */
export function velocityStep(
  build: Build<CentralExports>,
  layer: LayerWeights,
  input: Rows & { readonly segStride: number; readonly storage: Storage },
  output: { readonly map: number; readonly range: readonly [number, number] },
): KernelStep {
  const { arena, exports } = build;
  const { bytes } = input.storage;
  const uint8 = isBytes(input.storage);
  const kernel = uint8 ? "conv_velocity_u7" : "conv_velocity_s16";
  const values = layer.k / SEGMENTS;
  const segBytes = roundUp(values * bytes, STEP_BYTES[kernel]);
  const padded = padSegments(layer.weight, values, segBytes / bytes);
  const w = arena.place(uint8 ? padded : Int16Array.from(padded));
  const { address, table, segStride } = input;
  const [lo, hi] = output.range.map(Math.fround) as [number, number];
  return kernelStep(
    exports[kernel],
    kernel,
    [
      ...([address, table.address, table.padded, SEGMENTS, segStride, segBytes, w] as const),
      ...([layer.bias[0]!, layer.scale[0]!, lo, hi, output.map] as const),
    ],
    { name: layer.name, macs: table.rows * layer.k },
    [8, 9, 10],
  );
}

/** Segments of `values` weights, each followed by zeros up to `length`. */
function padSegments(weight: Int8Array, values: number, length: number): Int8Array<ArrayBuffer> {
  const padded = new Int8Array(SEGMENTS * length);
  for (let s = 0; s < SEGMENTS; s++) {
    padded.set(weight.subarray(s * values, (s + 1) * values), s * length);
  }
  return padded;
}
