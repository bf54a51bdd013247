/**
 * EPIC for full-waveform inversion: each end device encodes its receivers' traces with
 * `EdgeEncoder`, one central node turns the latents into a velocity map with `CentralDecoder`.
 */
export * from "./central/index.ts";
export * from "./edge/index.ts";
export type { ModuleName } from "./engine/kernels.ts";
export * from "./metrics/index.ts";
export * from "./model/index.ts";
