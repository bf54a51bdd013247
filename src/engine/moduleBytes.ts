import { decodeHex } from "./instantiate.ts";
import { readPackageFile } from "./packageFile.ts";

/**
 * The bytes of one of the package's modules: its file where it can be read at once, else what is embedded.
 * @param name as in `edge.simd`
 * @param embedded imports its hexadecimal digits
 */
export async function moduleBytes(
  name: string,
  embedded: () => Promise<{ readonly wasmHex: string }>,
): Promise<Uint8Array<ArrayBuffer>> {
  return readPackageFile(`dist/wasm/${name}.wasm`) ?? decodeHex((await embedded()).wasmHex);
}
