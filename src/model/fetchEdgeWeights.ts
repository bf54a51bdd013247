import { fetchWeights } from "./fetchWeights.ts";

/** The edge half of the shipped model `epic-base`. The URL is literal: bundlers find and ship the file by it. */
export function loadEdgeWeights(): Promise<Uint8Array> {
  return fetchWeights(new URL("../../weights/epic-base/edge.safetensors", import.meta.url));
}
