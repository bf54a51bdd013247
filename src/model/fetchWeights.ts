/**
 * Fetches a weights file from beside the package.
 * @throws Error when the server does not answer with the file
 */
export async function fetchWeights(url: URL): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`weights: expected ${url.href}, got HTTP status ${response.status}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
