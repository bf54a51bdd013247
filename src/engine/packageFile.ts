import { hostModule } from "./hostModule.ts";

/** Node's, Deno's and Bun's `fs`, as far as it is needed here. */
interface FileSystem {
  openSync(path: URL, flags: "r"): number;
  fstatSync(file: number): { readonly size: number };
  readSync(file: number, into: Uint8Array, at: number, length: number, position: null): number;
  closeSync(file: number): void;
}

/** TypeScript's ES2023 does not know the second argument; Node 20 does. */
type Buffers = new (bytes: number, options?: { maxByteLength: number }) => ArrayBuffer;

/** Its place beside the package's folders is that of the bundle in dist/lib as well. A name of its own: bundlers look for `new URL(..., import.meta.url)`. */
const here = import.meta.url;

/**
 * A file of this package, where the host reads files at once (Node from 20.16, Deno, Bun) and it is there: to `import` what
 * holds the same takes Node more than a millisecond for each.
 * @param path from the package's folder
 * @param resizable whether the memory can be given back with `resize(0)`; WebAssembly takes no such memory
 */
export function readPackageFile(
  path: string,
  resizable = false,
): Uint8Array<ArrayBuffer> | undefined {
  const files = hostModule<FileSystem>("fs");
  if (files === undefined) return undefined;
  try {
    const file = files.openSync(new URL(`../../${path}`, here), "r");
    try {
      return readWhole(files, file, resizable);
    } finally {
      files.closeSync(file);
    }
  } catch {
    return undefined; // the caller's other way says what is wrong
  }
}

function readWhole({ fstatSync, readSync }: FileSystem, file: number, resizable: boolean) {
  const { size } = fstatSync(file);
  const options = resizable ? { maxByteLength: size } : undefined;
  const bytes = new Uint8Array(new (ArrayBuffer as Buffers)(size, options));
  let at = 0;
  while (at < size) {
    const count = readSync(file, bytes, at, size - at, null);
    if (count === 0) break;
    at += count;
  }
  return bytes.subarray(0, at);
}
