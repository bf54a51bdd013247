import { fetchWeights } from "./fetchWeights.ts";

/** The central half of the shipped model `epic-base`. The URL is literal: bundlers find and ship the file by it. */
export function loadCentralWeights(): Promise<Uint8Array> {
  return fetchWeights(new URL("../../weights/epic-base/central.safetensors", import.meta.url));
}
