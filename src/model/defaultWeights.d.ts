/**
 * The package's own weights: read from disk in Node (src/io/defaultWeights.ts), fetched elsewhere
 * (src/model/fetchDefaultWeights.ts). `imports` in package.json chooses.
 */
declare module "#default-weights" {
  export function loadDefaultWeights(half: "edge" | "central"): Promise<Uint8Array>;
}
