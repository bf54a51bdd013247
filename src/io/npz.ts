/** numpy's .npz: a zip archive of npy files. */
import { type ByteSource, openByteSource } from "./byteSource.ts";
import { NpyRecords } from "./npy.ts";
import {
  encodeNpy,
  matchShape,
  type NpyArray,
  NpyError,
  type NpyExpectation,
  npyDataOffset,
  parseNpyHeader,
} from "./npyFormat.ts";
import { openZipEntry, readZipEntries, type ZipEntry, ZipError, zipStored } from "./zip.ts";

/** A deflated array of more bytes is refused: it is inflated into memory. */
const inflatedBytesMax = 2 ** 31;
/** Enough for any header that numpy writes. */
const peekBytes = 4096;

/**
 * Opens one array: the named one, the only one, or the only one whose shape is expected. A stored
 * array is read record by record, a deflated one is held in memory.
 * Throws NpyError with the path in its text.
 */
export async function openNpz(
  path: string,
  name?: string,
  expectation?: NpyExpectation,
): Promise<NpyRecords> {
  const source = await openByteSource(path);
  let owned = true;
  try {
    const arrays = await readArrays(source);
    const chosen = await chooseArray(source, arrays, name, expectation);
    const contents = await openArray(source, arrays.get(chosen)!, expectation);
    owned = false;
    return await NpyRecords.over(withParent(contents, source), `${path}:${chosen}`, expectation);
  } catch (error) {
    if (owned) await source.close();
    if (!owned) throw error;
    throw withPath(path, error);
  }
}

/** Names of the arrays in an archive, in its order. Throws NpyError with the path in its text. */
export async function npzNames(path: string): Promise<string[]> {
  const source = await openByteSource(path);
  try {
    return [...(await readArrays(source)).keys()];
  } catch (error) {
    throw withPath(path, error);
  } finally {
    await source.close();
  }
}

/** An archive of uncompressed arrays, in parts to write in order. */
export function encodeNpz(arrays: Readonly<Record<string, NpyArray>>): Iterable<Uint8Array> {
  const files = Object.entries(arrays).map(
    ([name, { shape, data }]) => [`${name}.npy`, encodeNpy(shape, data)] as const,
  );
  return zipStored(Object.fromEntries(files));
}

async function readArrays(source: ByteSource): Promise<Map<string, ZipEntry>> {
  const arrays = new Map<string, ZipEntry>();
  for (const entry of await readZipEntries(source)) {
    const name = /^(.+)\.npy$/s.exec(entry.name)?.[1];
    if (name === undefined) continue;
    if (arrays.has(name)) throw new NpyError("archive", `expected one array ${name}, got two`);
    arrays.set(name, entry);
  }
  if (arrays.size === 0) throw new NpyError("archive", "expected npy arrays, got none");
  return arrays;
}

async function chooseArray(
  source: ByteSource,
  arrays: ReadonlyMap<string, ZipEntry>,
  name: string | undefined,
  expectation: NpyExpectation | undefined,
): Promise<string> {
  const names = [...arrays.keys()];
  if (name !== undefined) {
    if (arrays.has(name)) return name;
    throw new NpyError("archive", `expected an array ${name}, got ${listed(names)}`);
  }
  if (names.length === 1) return names[0]!;
  const fitting: string[] = [];
  for (const candidate of expectation ? names : []) {
    if (await fits(source, arrays.get(candidate)!, expectation!)) fitting.push(candidate);
  }
  if (fitting.length === 1) return fitting[0]!;
  const what = expectation ? `one array of ${expectation.what}` : "one array";
  throw new NpyError(
    "archive",
    `expected ${what}, or its name as in FILE.npz:NAME, got ${listed(fitting.length ? fitting : names)}`,
  );
}

async function fits(
  source: ByteSource,
  entry: ZipEntry,
  expectation: NpyExpectation,
): Promise<boolean> {
  let matched = false;
  const check = (start: Uint8Array) => {
    matched = matches(start, expectation);
    throw new Peeked();
  };
  await openZipEntry(source, entry, { bytesMax: inflatedBytesMax, peekBytes, peek: check }).catch(
    (error: unknown) => {
      if (!(error instanceof Peeked)) throw error;
    },
  );
  return matched;
}

/** Ends openZipEntry once its first bytes have been seen. */
class Peeked extends Error {}

function matches(start: Uint8Array, expectation: NpyExpectation): boolean {
  try {
    matchShape(parseNpyHeader(start).shape, expectation);
    return true;
  } catch (error) {
    if (error instanceof NpyError) return false;
    throw error;
  }
}

/** Checks type, shape and size by the array's header before anything is inflated. */
function openArray(
  source: ByteSource,
  entry: ZipEntry,
  expectation: NpyExpectation | undefined,
): Promise<ByteSource> {
  const peek = (start: Uint8Array) => {
    // A header too long to be seen here is judged when the array is opened.
    if (npyDataOffset(start) > start.length && entry.bytes > start.length) return;
    const header = parseNpyHeader(start);
    if (expectation) matchShape(header.shape, expectation);
    const expected = header.dataOffset + header.count * header.element.bytes;
    if (entry.bytes !== expected) {
      throw new NpyError("length", `expected ${expected} bytes, got ${entry.bytes}`);
    }
  };
  return openZipEntry(source, entry, { bytesMax: inflatedBytesMax, peekBytes, peek });
}

/** Closes the archive with the array: an inflated one does not hold it open by itself. */
function withParent(contents: ByteSource, parent: ByteSource): ByteSource {
  return {
    size: contents.size,
    read: (offset, length) => contents.read(offset, length),
    fill: (offset, out) => contents.fill(offset, out),
    close: () => parent.close(),
  };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => name.replace(/[^\x20-\x7e]+/g, "?").slice(0, 40));
  return `${shown.join(", ")}${names.length > shown.length ? ` and ${names.length - 8} more` : ""}`;
}

function withPath(path: string, error: unknown): unknown {
  if (error instanceof ZipError) return new NpyError("archive", `${path}: ${error.message}`);
  return error instanceof NpyError ? new NpyError(error.code, `${path}: ${error.message}`) : error;
}
