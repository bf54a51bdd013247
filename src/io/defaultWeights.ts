import { loadModelHalf } from "./modelFiles.ts";

/**
 * Reads one half of the shipped model `epic-base` from the package's folder.
 * @throws Error of one line when the file cannot be read
 */
export function loadDefaultWeights(half: "edge" | "central"): Promise<Uint8Array> {
  return loadModelHalf(half);
}
