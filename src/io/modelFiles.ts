/** The model folder: edge.safetensors and central.safetensors. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface ModelFiles {
  readonly edge: Uint8Array;
  readonly central: Uint8Array;
}

/** The model that ships with the package. */
export const shippedModelFolder = fileURLToPath(
  new URL("../../weights/epic-base", import.meta.url),
);

/** Reads both halves, one after the other so that a missing folder is always named by the same file. Throws an Error of one line. */
export async function loadModel(folder = shippedModelFolder): Promise<ModelFiles> {
  const edge = await loadModelHalf("edge", folder);
  const central = await loadModelHalf("central", folder);
  return { edge, central };
}

/** Reads one half: what an end device, or a central node, needs. */
export async function loadModelHalf(
  half: "edge" | "central",
  folder = shippedModelFolder,
): Promise<Uint8Array> {
  const path = join(folder, `${half}.safetensors`);
  try {
    return await readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const came = code === "ENOENT" || code === "ENOTDIR" ? "no such file" : code;
    throw new Error(`model: expected weights at ${path}, got ${came}`, { cause: error });
  }
}
