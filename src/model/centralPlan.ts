import { SharedSpace } from "../engine/arena.ts";
import type { CentralExports } from "../engine/kernels.ts";
import type { Build } from "./build.ts";
import { planCross } from "./crossPlan.ts";
import { decoderScratchBytes, inputPixelOffsets, planDecoder } from "./decoderPlan.ts";
import { planFusion } from "./fusionPlan.ts";
import type { ModelFile } from "./modelFile.ts";
import type { Step } from "./step.ts";
import { planTokens } from "./tokenPlan.ts";
import { Transformer } from "./transformer.ts";

/** The central network as kernel calls over fixed places in module memory. */
export interface CentralPlan {
  /** int8 [devices][slots][channels]: the caller writes present latents here, one after another. */
  readonly latents: number;
  /** The caller writes here, before `central` runs, which device each of those latents is of. */
  readonly presentDevices: Uint16Array;
  /** Tokens, fusion and cross-attention for i + 1 present devices. */
  readonly central: readonly (readonly Step[])[];
  readonly decoder: readonly Step[];
  /** f32 [map], m/s: here the last decoder step leaves the map. */
  readonly map: number;
}

/** @throws WeightsError when the file's tensors are not those its config describes */
export function planCentral(build: Build<CentralExports>, file: ModelFile): CentralPlan {
  const { geometry, latent, central } = file.config;
  const devices = geometry.devices.length;
  // The transformer is done with its activations when the decoder starts.
  const scratchBytes = decoderScratchBytes(build, file);
  const scratch = build.arena.alloc(scratchBytes);
  const shared = new SharedSpace(build.arena, scratch, scratchBytes);
  const transformer = new Transformer(build, file, devices * latent.slots, shared);
  const tokens = planTokens(build, transformer, file);
  const fusion = planFusion(transformer, file, tokens.x);
  const cross = planCross(transformer, file, fusion.context);
  const decoder = planDecoder(build, file, scratch);
  const pixels = build.arena.place(inputPixelOffsets(decoder.input));
  const queries = central.grid[0] * central.grid[1];
  const codes = transformer.signed(central.qscale);
  const image = transformer.norm("image", cross.y, codes, decoder.input.address, pixels, queries);
  const steps = (present: number): Step[] => {
    const count = present * latent.slots;
    return [...tokens.steps(present), ...fusion.steps(count), ...cross.steps(count), image];
  };
  return {
    latents: tokens.latents,
    presentDevices: tokens.presentDevices,
    central: Array.from({ length: devices }, (_, i) => steps(i + 1)),
    decoder: decoder.steps,
    map: decoder.map,
  };
}
