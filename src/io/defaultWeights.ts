/** The shipped model in Node, Deno and Bun. Reads at once: waiting for the thread pool costs more than the bytes do. */
type FileSystem = typeof import("node:fs");

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

async function readShipped(half: "edge" | "central"): Promise<Uint8Array> {
  const url = new URL(`../../weights/epic-base/${half}.safetensors`, import.meta.url);
  const files = await fileSystem();
  try {
    const file = files.openSync(url, "r");
    try {
      return readWhole(files, file);
    } finally {
      files.closeSync(file);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const came = code === "ENOENT" || code === "ENOTDIR" ? "no such file" : code;
    throw new Error(`model: expected weights at ${url.pathname}, got ${came}`, { cause: error });
  }
}

/** Into memory that `ModelFile.release` can give back. */
function readWhole({ fstatSync, readSync }: FileSystem, file: number): Uint8Array {
  const { size } = fstatSync(file);
  const bytes = new Uint8Array(makeBuffer(size));
  let at = 0;
  while (at < size) {
    const count = readSync(file, bytes, at, size - at, null);
    if (count === 0) break;
    at += count;
  }
  return bytes.subarray(0, at);
}

/** TypeScript's ES2023 does not know the second argument; Node 20 does. */
type ResizableBuffer = new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer;

/** Resizable where Node's own functions hash it: WebCrypto, which does elsewhere (src/model/sha256.ts), need not take such a buffer. */
function makeBuffer(bytes: number): ArrayBuffer {
  if (!process.getBuiltinModule) return new ArrayBuffer(bytes);
  return new (ArrayBuffer as ResizableBuffer)(bytes, { maxByteLength: bytes });
}

/** An `import` of it makes Node load all of its streams too, a millisecond's worth. Node before 20.16 knows no other way. */
async function fileSystem(): Promise<FileSystem> {
  return process.getBuiltinModule?.("node:fs") ?? (await import("node:fs"));
}
