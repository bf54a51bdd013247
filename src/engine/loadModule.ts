import { instantiateSync } from "@assemblyscript/loader";
import { compile, decodeHex, type ModuleInstance, withMemory } from "./instantiate.ts";

/**
 * Instantiates an embedded module with AssemblyScript's loader. The two halves of the network do without it
 * (`instantiateWasm`): an end device would download, and every process that starts would read, 11 kB that serve modules with
 * a runtime, which ours do not have.
 * @param digits as `scripts/build-wasm.mjs` wrote them
 */
export async function loadModule<T>(digits: string): Promise<ModuleInstance<T>> {
  // Not the loader's `instantiate`: it asks whether the source is a Response, which makes Node load its whole HTTP client.
  const { instance } = instantiateSync(await compile(decodeHex(digits)));
  return withMemory<T>(instance);
}
