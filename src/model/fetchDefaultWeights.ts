import type { ModelHalf } from "./modelFile.ts";

/** Literal URLs: bundlers find and ship the files by this pattern. */
const URLS: Readonly<Record<ModelHalf, () => URL>> = {
  edge: () => new URL("../../weights/epic-base/edge.safetensors", import.meta.url),
  central: () => new URL("../../weights/epic-base/central.safetensors", import.meta.url),
};

/**
 * Fetches one half of the shipped model `epic-base` from beside the package.
 * @throws Error when the server does not answer with the file
 */
export async function loadDefaultWeights(half: ModelHalf): Promise<Uint8Array> {
  const url = URLS[half]();
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`weights: expected ${url.href}, got HTTP status ${response.status}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
