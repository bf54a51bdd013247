import { type Igemm, type IgemmName, PANEL, roundUp, SUM4_MAX } from "../engine/kernels.ts";
import { placeWeights } from "../engine/placeWeights.ts";
import type { Build } from "./build.ts";
import type { LayerWeights } from "./layerWeights.ts";
import type { RowTable } from "./offsets.ts";
import { type KernelStep, kernelStep } from "./step.ts";
import { isBytes, type Storage } from "./storage.ts";

/** Values that `igemm_u7_sum4` takes at a time. */
const SUM4_VALUES = 8;

/** A linear layer whose weights stand in module memory, packed for one kernel. */
export interface PlacedLayer {
  readonly name: string;
  readonly kernel: IgemmName;
  /** Addresses of the packed weights: one per phase of a transposed convolution, else one. */
  readonly panels: readonly number[];
  readonly bias: number;
  readonly scale: number;
  /** Output channels, padded to whole panels. */
  readonly n: number;
  readonly segments: number;
  readonly segBytes: number;
  /** Multiply-accumulates per output row. */
  readonly macsPerRow: number;
}

/**
 * Packs a layer for the module's kernels and places it.
 * @param input how the rows that it will read stand in memory
 * @param segments contiguous runs of A that one output sums over
 */
export function placeLayer(
  build: Build,
  layer: LayerWeights,
  input: Storage,
  segments = 1,
): PlacedLayer {
  const { exports, arena, forms } = build;
  const { name, out, k, phases } = layer;
  const uint8 = isBytes(input);
  const n = roundUp(out, PANEL);
  const bias = new Int32Array(n);
  const scale = new Float32Array(n);
  const panels = Array.from({ length: phases }, (_, phase) => {
    const weight = layer.weight.subarray(phase * out * k, (phase + 1) * out * k);
    return placeWeights(exports, arena, uint8 ? "u7" : "s16", weight, out, k, segments);
  });
  bias.set(layer.bias);
  scale.set(layer.scale);
  return {
    name,
    kernel: uint8 ? u7Kernel(build, panels, n * k, k / segments) : forms.s16,
    panels,
    bias: arena.place(bias),
    scale: arena.place(scale),
    n,
    segments,
    segBytes: roundUp((k / segments) * input.bytes, 4),
    macsPerRow: out * k,
  };
}

/** The form for small weights where that is another one and these are: the file may hold any. */
function u7Kernel(
  { exports, forms }: Build,
  panels: readonly number[],
  bytes: number,
  segment: number,
): IgemmName {
  if (forms.u7Small === forms.u7 || segment % SUM4_VALUES !== 0) return forms.u7;
  const isSmall = panels.every((b) => exports.largest_sum4!(b, bytes) <= SUM4_MAX);
  return isSmall ? forms.u7Small : forms.u7;
}

/** Where the rows of A or C stand. */
export interface Rows {
  readonly address: number;
  readonly table: RowTable;
}

/**
 * One call of a layer's kernel.
 * @param segStride bytes from a segment of A to the next
 * @param output how the rows that it writes stand in memory
 * @param phase of a transposed convolution
 */
export function linearStep(
  build: Build,
  layer: PlacedLayer,
  input: Rows & { readonly segStride?: number },
  output: Rows & { readonly storage: Storage },
  phase = 0,
): KernelStep {
  const { name, panels, bias, scale, n, segments, segBytes, macsPerRow } = layer;
  const { outKind, lo, hi } = output.storage;
  const [a, aOff, rows] = [input.address, input.table.address, input.table.padded];
  const [c, cOff] = [output.address, output.table.address];
  const b = panels[phase]!;
  const segStride = input.segStride ?? 0;
  // One by one: lists spread into a list go through iterators, which cost start-up time.
  const args: Parameters<Igemm> = [
    a,
    aOff,
    rows,
    segments,
    segStride,
    segBytes,
    b,
    bias,
    scale,
    c,
    cOff,
    n,
    outKind,
    lo,
    hi,
  ];
  return kernelStep(build.exports[layer.kernel]!, layer.kernel, args, {
    name: panels.length > 1 ? `${name} phase ${phase}` : name,
    macs: input.table.rows * macsPerRow,
  });
}
