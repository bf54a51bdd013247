export type * from "./config.ts";
export type { LoadOptions } from "./loadOptions.ts";
export { type MacCounts, macCounts } from "./macCounts.ts";
export { ModelFile, type ModelHalf } from "./modelFile.ts";
export { parseConfig, parseGeometry } from "./parseConfig.ts";
export { readSafetensors, type Safetensors, type Tensor } from "./safetensors.ts";
export type { Stage, Step } from "./step.ts";
export { WeightsError } from "./weightsError.ts";
