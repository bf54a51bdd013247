import {
  type EdgeExports,
  PAIRS_SCRATCH_BYTES,
  PANEL,
  roundUp,
  TILE_ROWS,
} from "../engine/kernels.ts";
import type { Build } from "./build.ts";
import type { Conv1dLayer } from "./config.ts";
import type { LayerWeights } from "./layerWeights.ts";
import { type KernelStep, kernelStep } from "./step.ts";
import { isBytes, type Storage } from "./storage.ts";

/** A time-major tensor [rows][channels] with zero rows before and after it. */
export interface Sequence {
  readonly address: number;
  readonly rowBytes: number;
  readonly halo: number;
  readonly storage: Storage;
}

/** What this needs to know of a layer. */
type Layer = Pick<Conv1dLayer, "name" | "in" | "out" | "kernel" | "stride">;

/** Outputs between the two of a pair: half the taps of an odd kernel, in strides. */
function shiftOf({ kernel, stride }: Layer): number {
  return (kernel - 1) / 2 / stride;
}

/**
 * Whether a layer can be computed two outputs at a time, and the engine is better off so. The differences of rows must
 * fit int16, which every element type grants.
 */
export function fitsPairs({ forms }: Build, layer: Layer, count: number, input: Storage): boolean {
  if (forms.conv1d === "igemm" || isBytes(input)) return false;
  const shift = shiftOf(layer);
  const isWhole = shift >= 1 && Number.isInteger(shift) && count >= 2 * shift;
  return isWhole && layer.in % 2 === 0 && layer.out % PANEL === 0;
}

/** One call: `count` outputs as pairs of those that are half a kernel apart. */
export function pairsStep(
  build: Build<EdgeExports>,
  {
    layer,
    weights,
    count,
    input,
    output,
  }: {
    readonly layer: Layer;
    readonly weights: LayerWeights;
    readonly count: number;
    readonly input: Sequence;
    readonly output: Sequence;
  },
): KernelStep {
  const { arena, exports } = build;
  const { kernel, stride, out } = layer;
  const shift = shiftOf(layer);
  // Values of half the taps, and of the one that an odd kernel has beside its halves.
  const [half, rest] = [shift * stride * layer.in, layer.in];
  const b = arena.alloc(out * (3 * half + 2 * rest) * 2);
  const mark = arena.mark();
  exports.pack_conv1d_pairs(arena.place(weights.weight), out, half, rest, b);
  arena.release(mark);

  const first = firstOfPairs(count, shift);
  const aOff = arena.place(first.map((t) => t * stride * input.rowBytes));
  const rows = new Uint32Array(2 * first.length);
  rows.set(first);
  rows.set(
    first.map((t) => t + shift),
    first.length,
  );
  const cOff = arena.place(rows.map((t) => (output.halo + t) * output.rowBytes));
  const aBytes = ((count - 1) * stride + kernel) * input.rowBytes;
  const scratch = arena.alloc(aBytes + PAIRS_SCRATCH_BYTES);
  const [bias, scale] = [arena.place(weights.bias), arena.place(weights.scale)];
  const { outKind, lo, hi } = output.storage;
  return kernelStep(
    exports.conv1d_pairs_s16,
    "conv1d_pairs_s16",
    [
      ...([input.address, aBytes, aOff, first.length, 2 * half, 2 * rest, b, bias, scale] as const),
      ...([output.address, cOff, out, outKind, lo, hi, scratch] as const),
    ],
    { name: layer.name, macs: count * out * weights.k },
  );
}

/**
 * Outputs t whose pairs (t, t + shift) cover 0 to count - 1, as many as fill whole tiles: blocks of twice the shift, of which
 * the last overlaps the one before where it does not fit, and the last pair again.
 */
function firstOfPairs(count: number, shift: number): Uint32Array<ArrayBuffer> {
  const blocks = Math.ceil(count / (2 * shift));
  const pairs = new Uint32Array(roundUp(blocks * shift, TILE_ROWS));
  for (let i = 0; i < pairs.length; i++) {
    const pair = Math.min(i, blocks * shift - 1);
    const block = Math.floor(pair / shift);
    pairs[i] = Math.min(block * 2 * shift, count - 2 * shift) + (pair % shift);
  }
  return pairs;
}
