/** Stands for the package's own weights, so that the page's bundle carries none: it fetches a model. */
export function loadDefaultWeights(half: "edge" | "central"): Promise<Uint8Array> {
  return Promise.reject(new Error(`weights: expected the ${half} half to be given, got none`));
}
