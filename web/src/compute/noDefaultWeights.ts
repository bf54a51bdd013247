/** Stands for the package's own weights, so that the page's bundle carries none: it fetches a model. */
export function loadEdgeWeights(): Promise<Uint8Array> {
  return refuse("edge");
}

export function loadCentralWeights(): Promise<Uint8Array> {
  return refuse("central");
}

function refuse(half: string): Promise<never> {
  return Promise.reject(new Error(`weights: expected the ${half} half to be given, got none`));
}
