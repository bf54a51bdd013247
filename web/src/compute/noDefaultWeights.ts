/** Stands for the package's own weights, so that the page's bundle carries none: it fetches a model. */
export const loadEdgeWeights = refuse;
export const loadCentralWeights = refuse;

function refuse(): Promise<Uint8Array> {
  return Promise.reject(new Error("weights: expected both halves to be given, got none"));
}
