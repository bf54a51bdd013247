import type { ModuleName } from "../engine/kernels.ts";

/** Options of `EdgeEncoder.load` and `CentralDecoder.load`. */
export interface LoadOptions {
  /** That half's safetensors file, whole; not kept. Default: the shipped `epic-base`. */
  readonly weights?: Uint8Array;
  /** This instruction set and no other. Default: the fastest that works here. */
  readonly module?: ModuleName;
}
