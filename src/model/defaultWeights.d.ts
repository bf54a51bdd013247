/**
 * The package's own weights: read from disk in Node (src/io/defaultWeights.ts), fetched elsewhere
 * (fetchEdgeWeights.ts, fetchCentralWeights.ts). `imports` in package.json chooses. Each half has a module of its own,
 * so that a bundle of one half ships one file.
 */
declare module "#edge-weights" {
  export function loadEdgeWeights(): Promise<Uint8Array>;
}

declare module "#central-weights" {
  export function loadCentralWeights(): Promise<Uint8Array>;
}
