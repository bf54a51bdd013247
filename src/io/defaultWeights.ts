/** The shipped model in Node. Reads at once: waiting for the thread pool costs more than the bytes do. */
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
  const { readFileSync } = await fileSystem();
  try {
    return readFileSync(url);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const came = code === "ENOENT" || code === "ENOTDIR" ? "no such file" : code;
    throw new Error(`model: expected weights at ${url.pathname}, got ${came}`, { cause: error });
  }
}

/** An `import` of it makes Node load all of its streams too, a millisecond's worth. Node before 20.16 knows no other way. */
async function fileSystem(): Promise<FileSystem> {
  return process.getBuiltinModule?.("node:fs") ?? (await import("node:fs"));
}
