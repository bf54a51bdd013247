/**
 * The shipped model in Node before 20.16, and what is said where the package's files are missing: elsewhere `readPackageFile` has
 * read them already.
 */
import { readFileSync } from "node:fs";

/**
 * Reads the edge half of the shipped model `epic-base` from the package's folder.
 * @throws Error of one line when the file cannot be read
 */
export async function loadEdgeWeights(): Promise<Uint8Array> {
  return readShipped("edge");
}

/** The central half, likewise. */
export async function loadCentralWeights(): Promise<Uint8Array> {
  return readShipped("central");
}

function readShipped(half: "edge" | "central"): Uint8Array {
  const url = new URL(`../../weights/epic-base/${half}.safetensors`, import.meta.url);
  try {
    return readFileSync(url);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const came = code === "ENOENT" || code === "ENOTDIR" ? "no such file" : code;
    throw new Error(`model: expected weights at ${url.pathname}, got ${came}`, { cause: error });
  }
}
