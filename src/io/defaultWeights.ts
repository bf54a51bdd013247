import { readFile } from "node:fs/promises";
import type { ModelHalf } from "../model/modelFile.ts";

/**
 * Reads one half of the shipped model `epic-base` from the package's folder.
 * @throws Error when the file cannot be read
 */
export async function loadDefaultWeights(half: ModelHalf): Promise<Uint8Array> {
  const url = new URL(`../../weights/epic-base/${half}.safetensors`, import.meta.url);
  try {
    return await readFile(url);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new Error(`weights: expected the shipped file ${url.pathname}, got ${code}`);
  }
}
