import { readPackageFile } from "../engine/packageFile.ts";
import type { ModelHalf } from "./modelFile.ts";

/**
 * One half of the shipped model `epic-base`, in memory that `ModelFile.release` can give back where the host reads files at once.
 * @param elsewhere how it is read where the host does not, or the file is missing; says what is wrong then
 */
export async function shippedWeights(
  half: ModelHalf,
  elsewhere: () => Promise<Uint8Array>,
): Promise<Uint8Array> {
  return readPackageFile(`weights/epic-base/${half}.safetensors`, true) ?? elsewhere();
}
