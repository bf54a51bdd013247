import type { ModelConfig } from "./config.ts";
import { edgeRows, imageSizes } from "./shapes.ts";

/** Multiply-accumulates of the parts of a network. */
export interface MacCounts {
  /** One device's encoder. */
  readonly encoder: number;
  /** Tokens, fusion and cross-attention, all devices present. */
  readonly central: number;
  readonly decoder: number;
  /** A whole record: every device's encoder, central and decoder. */
  readonly full: number;
}

/** Counts from the config alone; train/config.py counts the same way. */
export function macCounts(config: ModelConfig): MacCounts {
  const encoder = encoderMacs(config);
  const central = centralMacs(config);
  const decoder = decoderMacs(config);
  const full = config.geometry.devices.length * encoder + central + decoder;
  return { encoder, central, decoder, full };
}

function encoderMacs(config: ModelConfig): number {
  const rows = edgeRows(config);
  const perLayer = config.edge.layers.map(
    (layer, i) => rows[i]! * layer.kernel * layer.in * layer.out,
  );
  return sum(perLayer);
}

function centralMacs({ geometry, latent, central }: ModelConfig): number {
  const { width, mlp, fusionBlocks, crossBlocks, grid } = central;
  const tokens = geometry.devices.length * latent.slots;
  const queries = grid[0] * grid[1];
  const projection = width * width;
  const fusion = tokens * (4 * projection + 2 * width * mlp + 2 * tokens * width);
  const keysAndValues = tokens * 2 * projection;
  const cross = queries * (projection + 2 * width * mlp + 2 * tokens * width) + keysAndValues;
  // The first block's queries are constants of the model.
  const laterQueries = (crossBlocks - 1) * queries * projection;
  const first = tokens * latent.channels * width;
  return first + fusionBlocks * fusion + crossBlocks * cross + laterQueries;
}

function decoderMacs({ geometry, central }: ModelConfig): number {
  const sizes = imageSizes(central.grid, central.decoder);
  const perLayer = central.decoder.map((layer, i) => {
    const isLast = i === central.decoder.length - 1;
    const [height, width] = isLast ? geometry.map : [sizes[i]!.height, sizes[i]!.width];
    const taps = layer.kind === "convT2d" ? 4 : 9;
    return height * width * taps * layer.in * layer.out;
  });
  return sum(perLayer);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
