import type { CentralExports } from "../engine/kernels.ts";
import type { Build } from "./build.ts";
import type { ModelFile } from "./modelFile.ts";
import { countOf, latentShape, latentsShape } from "./shapes.ts";
import type { Step } from "./step.ts";
import { CODE_MAX } from "./storage.ts";
import type { Matrix, Transformer } from "./transformer.ts";

/** x = tokens(latent) + position, over the latents of the devices that are present. */
export interface TokenPlan {
  /** int8 [devices][slots][channels]: the caller writes present latents here, one after another. */
  readonly latents: number;
  /** The caller writes here which device each of those latents is of. */
  readonly presentDevices: Uint16Array;
  /** f32 [devices · slots][width] */
  readonly x: Matrix;
  readonly steps: (present: number) => Step[];
}

export function planTokens(
  { exports, arena }: Build<CentralExports>,
  transformer: Transformer,
  file: ModelFile,
): TokenPlan {
  const { geometry, latent, central } = file.config;
  const { width } = central;
  const rows = geometry.devices.length * latent.slots;
  const latents = arena.alloc(countOf(latentsShape(file.config)));
  const presentDevices = new Uint16Array(geometry.devices.length);
  const codes = transformer.matrix(rows, latent.channels, "s16");
  const x = transformer.matrix(rows, width, "f32");
  const layer = transformer.layer("tokens", latent.channels, width, "s16", CODE_MAX.latent);
  const position = transformer.constant("tokens.position", rows, width, "f32");
  const codeCount = countOf(latentShape(file.config));
  const valueCount = latent.slots * width;
  const deviceBytes = latent.slots * x.rowBytes;

  const unpack = (present: number) => () =>
    exports.unpack_s8(latents, codes.address, present * codeCount);
  const addPositions = (present: number) => () => {
    for (let i = 0; i < present; i++) {
      const from = position.address + presentDevices[i]! * deviceBytes;
      exports.add_f32(x.address + i * deviceBytes, from, valueCount);
    }
  };
  const steps = (present: number): Step[] => [
    { name: "tokens.unpack", macs: 0, run: unpack(present) },
    transformer.dense(layer, codes, x, present * latent.slots),
    { name: "tokens.position", macs: 0, run: addPositions(present) },
  ];
  return { latents, presentDevices, x, steps };
}
