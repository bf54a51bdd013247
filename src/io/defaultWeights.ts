import { loadModelHalf } from "./modelFiles.ts";

/**
 * Reads the edge half of the shipped model `epic-base` from the package's folder.
 * @throws Error of one line when the file cannot be read
 */
export function loadEdgeWeights(): Promise<Uint8Array> {
  return loadModelHalf("edge");
}

/** The central half, likewise. */
export function loadCentralWeights(): Promise<Uint8Array> {
  return loadModelHalf("central");
}
