/**
 * The package's own weights where shippedWeights.ts finds no file to read at once: read from disk in older Node
 * (src/io/defaultWeights.ts), fetched in browsers
 * (fetchEdgeWeights.ts, fetchCentralWeights.ts). `imports` in package.json chooses. Each half has a module of its own,
 * so that a bundle of one half ships one file.
 */
declare module "#edge-weights" {
  export function loadEdgeWeights(): Promise<Uint8Array>;
}

declare module "#central-weights" {
  export function loadCentralWeights(): Promise<Uint8Array>;
}
