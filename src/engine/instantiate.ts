/** A running module: its raw exports and the one memory it exports. */
export interface ModuleInstance<T> {
  readonly exports: T;
  readonly memory: WebAssembly.Memory;
}

/**
 * Instantiates a module from its bytes, or as the host compiled it.
 * The modules have no imports and one exported memory. Views of `memory.buffer` are void after
 * `memory.grow`.
 * @throws WebAssembly.CompileError when the bytes are no module that this engine knows
 */
export async function instantiateWasm<T>(
  source: Uint8Array<ArrayBuffer> | WebAssembly.Module,
): Promise<ModuleInstance<T>> {
  const module = source instanceof WebAssembly.Module ? source : await compile(source);
  return withMemory<T>(new WebAssembly.Instance(module));
}

/** What an instance exports, if that includes a memory. */
export function withMemory<T>({ exports }: WebAssembly.Instance): ModuleInstance<T> {
  const { memory } = exports;
  if (!(memory instanceof WebAssembly.Memory)) {
    throw new TypeError("module: expected one exported memory, got none");
  }
  return { exports: exports as T, memory };
}

/**
 * Compiles a module. Ours are so small that doing it here and now is quicker than asking a thread to.
 * @throws WebAssembly.CompileError when the bytes are no module that this engine knows
 */
export async function compile(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    // Browsers refuse that on a page's main thread from some size on; older ones from 4 kB.
    if (!(error instanceof RangeError)) throw error;
    return WebAssembly.compile(bytes);
  }
}

/** Node's, Deno's and Bun's `Buffer`, as far as it is needed here. */
interface HexReader {
  from(digits: string, encoding: "hex"): Uint8Array<ArrayBuffer>;
}

/**
 * The bytes of a module that `scripts/build-wasm.mjs` embedded as hexadecimal digits. `Buffer` reads them at once; a loop
 * over so many bytes makes V8 run its optimising compiler while the model loads.
 */
export function decodeHex(digits: string): Uint8Array<ArrayBuffer> {
  const { Buffer } = globalThis as { Buffer?: HexReader };
  if (Buffer) return Buffer.from(digits, "hex");
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}
