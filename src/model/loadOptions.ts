import type { ModuleOptions } from "../engine/openModule.ts";

/** Options of `EdgeEncoder.load` and `CentralDecoder.load`. */
export interface LoadOptions extends ModuleOptions {
  /** That half's safetensors file, whole; not kept. Default: the shipped `epic-base`. */
  readonly weights?: Uint8Array;
}
