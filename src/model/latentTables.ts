import type { ModelFile } from "./modelFile.ts";
import { latentShape } from "./shapes.ts";

/** What an entropy coder of this model's latents works with (docs/protocol.md, "Entropy coding"). */
export interface LatentTables {
  readonly slots: number;
  readonly channels: number;
  /** [tables][15] */
  readonly frequencies: Uint16Array;
  /** [slots][channels][5] */
  readonly contexts: Uint8Array;
}

const SYMBOLS = 15;
const CLASSES = 5;

/**
 * The tables in a model file; undefined when it has none, as the weights of version 0.1.0.
 * @throws WeightsError when they are not of the model's latent shape
 */
export function readLatentTables(file: ModelFile): LatentTables | undefined {
  const shape = file.shapeOf("latent.frequencies");
  if (shape === undefined) return undefined;
  const [slots, channels] = latentShape(file.config) as [number, number];
  return {
    slots,
    channels,
    // Copies: these outlive the file, and a view would keep all of it.
    frequencies: new Uint16Array(
      file.tensor("latent.frequencies", "U16", [shape[0] ?? 0, SYMBOLS]),
    ),
    contexts: new Uint8Array(file.tensor("latent.contexts", "U8", [slots, channels, CLASSES])),
  };
}
