import { instantiateSync } from "@assemblyscript/loader";

/** A running module: its raw exports and the one memory it exports. */
export interface ModuleInstance<T> {
  readonly exports: T;
  readonly memory: WebAssembly.Memory;
}

/**
 * Compiles and instantiates a module that `scripts/build-wasm.mjs` embedded as base64.
 * The modules have no imports and one exported memory. Views of `memory.buffer` are void after
 * `memory.grow`.
 */
export async function instantiateModule<T>(base64: string): Promise<ModuleInstance<T>> {
  return instantiateWasm(decodeBase64(base64));
}

/** As `instantiateModule`, from the module's bytes or from the module as the host compiled it. */
export async function instantiateWasm<T>(
  source: Uint8Array<ArrayBuffer> | WebAssembly.Module,
): Promise<ModuleInstance<T>> {
  const module = source instanceof WebAssembly.Module ? source : await compile(source);
  // Not the loader's `instantiate`: it asks whether the source is a Response, which makes Node load its whole HTTP client.
  const { instance } = instantiateSync(module);
  const { memory } = instance.exports;
  if (!(memory instanceof WebAssembly.Memory)) {
    throw new TypeError("module: expected one exported memory, got none");
  }
  return { exports: instance.exports as T, memory };
}

/** The modules are so small that compiling them here and now is quicker than asking a thread to. */
async function compile(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    // Browsers refuse that on a page's main thread from some size on; older ones from 4 kB.
    if (!(error instanceof RangeError)) throw error;
    return WebAssembly.compile(bytes);
  }
}

/** Node's, Deno's and Bun's `Buffer`, as far as it is needed here. */
interface Base64Reader {
  from(text: string, encoding: "base64"): Uint8Array<ArrayBuffer>;
}

/**
 * Bytes of a base64 text. `atob` exists everywhere, but leaves a loop over the bytes to code that has not been compiled yet:
 * V8 would run its optimising compiler for it.
 */
export function decodeBase64(base64: string): Uint8Array<ArrayBuffer> {
  const { Buffer } = globalThis as { Buffer?: Base64Reader };
  if (Buffer) return Buffer.from(base64, "base64");
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
