/**
 * Zip archives (PKWARE APPNOTE 6.3, sections 4.3 to 4.5), as far as numpy writes them: stored and
 * deflated entries, zip64 sizes. What an entry claims is checked before room is made for it.
 */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as zlib from "node:zlib";
import { crc32 as portableCrc32 } from "../engine/crc32.ts";
import { type ByteSource, MemorySource, partOf } from "./byteSource.ts";

export interface ZipEntry {
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly encrypted: boolean;
  readonly crc32: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly headerOffset: number;
}

/** The archive or an entry cannot be read. The text says what was expected and what came. */
export class ZipError extends Error {
  override readonly name = "ZipError";
}

const localSignature = 0x04034b50;
const centralSignature = 0x02014b50;
const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const u16Max = 0xffff;
const u32Max = 0xffffffff;
const endBytes = 22;
/** Hundreds of thousands of entries; far above any set of arrays. */
const directoryBytesMax = 1 << 24;
/** Deflate's own limit: 258 bytes from two bits, plus some for short streams. */
const deflateRatioMax = 1032;

// Node has it from 20.15 on, and it is many times faster.
const crc32 = zlib.crc32 ?? portableCrc32;

/** The entries of an archive, in its directory's order. Throws ZipError. */
export async function readZipEntries(source: ByteSource): Promise<ZipEntry[]> {
  const { offset, length, count } = await findDirectory(source);
  if (length > directoryBytesMax || offset + length > source.size) {
    const limit = Math.min(directoryBytesMax, source.size);
    throw new ZipError(`expected a directory of at most ${limit} bytes, got one of ${length}`);
  }
  const view = viewOf(await source.read(offset, length));
  const entries: ZipEntry[] = [];
  for (let at = 0; at < view.byteLength && entries.length < count; ) {
    if (at + 46 > view.byteLength || view.getUint32(at, true) !== centralSignature) {
      throw new ZipError(`expected ${count} entries, got ${entries.length}: damaged directory`);
    }
    const [name, extra, comment] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    const next = at + 46 + name! + extra! + comment!;
    if (next > view.byteLength) throw new ZipError("expected a whole directory, got one cut short");
    entries.push(parseEntry(view, at, name!, extra!));
    at = next;
  }
  if (entries.length !== count) {
    throw new ZipError(`expected ${count} entries, got ${entries.length}`);
  }
  return entries;
}

/**
 * The contents of an entry: in place when stored, inflated into memory otherwise.
 * `peek` sees the first bytes (at least `peekBytes` unless the entry is shorter) and throws when the
 * rest is not wanted. Throws ZipError for damage and for more than `bytesMax` bytes to inflate.
 */
export async function openZipEntry(
  source: ByteSource,
  entry: ZipEntry,
  { bytesMax, peekBytes, peek }: ZipLimits,
): Promise<ByteSource> {
  if (entry.encrypted) throw new ZipError(`${entry.name}: expected plain data, got encrypted data`);
  const start = await dataOffset(source, entry);
  if (start + entry.packedBytes > source.size) {
    throw new ZipError(`${entry.name}: expected ${entry.packedBytes} bytes, got a file cut short`);
  }
  const packed = partOf(source, start, entry.packedBytes);
  if (entry.method === 0) {
    if (entry.bytes !== entry.packedBytes) {
      throw new ZipError(
        `${entry.name}: expected ${entry.bytes} bytes, got ${entry.packedBytes} stored`,
      );
    }
    peek(await packed.read(0, peekBytes));
    return packed;
  }
  if (entry.method !== 8) {
    throw new ZipError(`${entry.name}: expected method 0 or 8 (deflate), got ${entry.method}`);
  }
  if (entry.bytes > bytesMax || entry.bytes > deflateRatioMax * entry.packedBytes + 64) {
    const limit = Math.min(bytesMax, deflateRatioMax * entry.packedBytes + 64);
    throw new ZipError(`${entry.name}: expected at most ${limit} bytes, got ${entry.bytes}`);
  }
  peek(await inflate(packed, entry, Math.min(peekBytes, entry.bytes)));
  const bytes = await inflate(packed, entry, entry.bytes);
  const sum = crc32(bytes);
  if (sum !== entry.crc32) {
    throw new ZipError(`${entry.name}: expected CRC-32 ${entry.crc32}, got ${sum}: damaged data`);
  }
  return new MemorySource(bytes);
}

export interface ZipLimits {
  readonly bytesMax: number;
  readonly peekBytes: number;
  readonly peek: (start: Uint8Array) => void;
}

/** A zip archive of stored entries, in parts to write in order; under 4 GiB. */
export function* zipStored(files: Readonly<Record<string, Uint8Array>>): Generator<Uint8Array> {
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, bytes] of Object.entries(files)) {
    const text = new TextEncoder().encode(name);
    const fields = storedFields(crc32(bytes), bytes.length, text.length);
    const local = new Uint8Array([...littleEndian(localSignature, 4), ...fields, ...text]);
    const attributes = [...new Array(10).fill(0), ...littleEndian(offset, 4)];
    const head = [...littleEndian(centralSignature, 4), 20, 0, ...fields, ...attributes];
    directory.push(new Uint8Array([...head, ...text]));
    yield local;
    yield bytes;
    offset += local.length + bytes.length;
    if (offset > u32Max) throw new RangeError(`zip: expected under 4 GiB, got ${offset} bytes`);
  }
  yield* directory;
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  const count = littleEndian(directory.length, 2);
  yield new Uint8Array([
    ...littleEndian(endSignature, 4),
    ...[0, 0, 0, 0, ...count, ...count],
    ...littleEndian(length, 4),
    ...littleEndian(offset, 4),
    ...[0, 0],
  ]);
}

/** What a local header and a directory entry share, from "version needed" to the extra length. */
function storedFields(sum: number, bytes: number, nameBytes: number): number[] {
  const date = 0x21; // 1980-01-01, the format's first day: same arrays, same bytes
  return [
    ...[20, 0, 0, 0, 0, 0, 0, 0, date, 0],
    ...littleEndian(sum, 4),
    ...littleEndian(bytes, 4),
    ...littleEndian(bytes, 4),
    ...littleEndian(nameBytes, 2),
    ...[0, 0],
  ];
}

function littleEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) % 256);
}

interface Directory {
  readonly offset: number;
  readonly length: number;
  readonly count: number;
}

async function findDirectory(source: ByteSource): Promise<Directory> {
  const tailStart = Math.max(0, source.size - endBytes - u16Max);
  const view = viewOf(await source.read(tailStart, endBytes + u16Max));
  let at = view.byteLength - endBytes;
  // The record may be followed by a comment, whose length it states.
  while (at >= 0 && !isEndAt(view, at)) at--;
  if (at < 0)
    throw new ZipError("expected a zip archive, got no end record: the file is cut short");
  const count = view.getUint16(at + 10, true);
  const length = view.getUint32(at + 12, true);
  const offset = view.getUint32(at + 16, true);
  if (count !== u16Max && length !== u32Max && offset !== u32Max) return { offset, length, count };
  return findDirectory64(source, tailStart + at - 20);
}

function isEndAt(view: DataView, at: number): boolean {
  return (
    view.getUint32(at, true) === endSignature &&
    at + endBytes + view.getUint16(at + 20, true) === view.byteLength
  );
}

async function findDirectory64(source: ByteSource, locatorOffset: number): Promise<Directory> {
  const locator = viewOf(await source.read(Math.max(0, locatorOffset), 20));
  if (locator.byteLength < 20 || locator.getUint32(0, true) !== locator64Signature) {
    throw new ZipError("expected a zip64 locator, got none");
  }
  const end = viewOf(await source.read(u64(locator, 8), 56));
  if (end.byteLength < 56 || end.getUint32(0, true) !== end64Signature) {
    throw new ZipError("expected a zip64 end record, got none");
  }
  return { count: u64(end, 32), length: u64(end, 40), offset: u64(end, 48) };
}

function parseEntry(view: DataView, at: number, nameBytes: number, extraBytes: number): ZipEntry {
  const name = new TextDecoder().decode(
    new Uint8Array(view.buffer, view.byteOffset + at + 46, nameBytes),
  );
  const sizes = [24, 20, 42].map((field) => view.getUint32(at + field, true));
  const extraStart = at + 46 + nameBytes;
  const wide = findExtra64(view, extraStart, extraStart + extraBytes);
  // A zip64 field holds, in this order, only the values that do not fit their own place.
  let from = wide ?? 0;
  const [bytes, packedBytes, headerOffset] = sizes.map((value) => {
    if (value !== u32Max || wide === undefined) return value;
    if (from + 8 > extraStart + extraBytes) throw new ZipError("expected a zip64 size, got none");
    from += 8;
    return u64(view, from - 8);
  });
  return {
    name,
    method: view.getUint16(at + 10, true),
    encrypted: (view.getUint16(at + 8, true) & 1) !== 0,
    crc32: view.getUint32(at + 16, true),
    packedBytes: packedBytes!,
    bytes: bytes!,
    headerOffset: headerOffset!,
  };
}

/** Offset of the zip64 field's contents among the extra fields in [at, end). */
function findExtra64(view: DataView, start: number, end: number): number | undefined {
  for (let at = start; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) === 1) return at + 4;
  }
  return undefined;
}

/** The name and extra fields of the local header may differ from the directory's. */
async function dataOffset(source: ByteSource, { name, headerOffset }: ZipEntry): Promise<number> {
  const local = viewOf(await source.read(headerOffset, 30));
  if (local.byteLength < 30 || local.getUint32(0, true) !== localSignature) {
    throw new ZipError(`${name}: expected a local header at byte ${headerOffset}, got none`);
  }
  return headerOffset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
}

/** The first `bytes` bytes of a deflated entry. */
async function inflate(packed: ByteSource, entry: ZipEntry, bytes: number): Promise<Uint8Array> {
  const out = new Uint8Array(bytes);
  let filled = 0;
  let excess = false;
  try {
    await pipeline(Readable.from(chunks(packed)), zlib.createInflateRaw(), async (parts) => {
      for await (const part of parts as AsyncIterable<Uint8Array>) {
        const room = out.length - filled;
        out.set(part.subarray(0, room), filled);
        filled += Math.min(part.length, room);
        excess ||= part.length > room;
        // Leaving the loop ends the stream: no more than one part is inflated in vain.
        if (excess) break;
      }
    });
  } catch (error) {
    // Ending early is an error to some versions of the stream.
    if (!excess) throw asZipError(entry, error);
  }
  if (filled < bytes || (excess && bytes === entry.bytes)) {
    const got = excess ? "more" : filled;
    throw new ZipError(`${entry.name}: expected ${entry.bytes} bytes of data, got ${got}`);
  }
  return out;
}

function asZipError({ name }: ZipEntry, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  return code?.startsWith("Z_") ? new ZipError(`${name}: expected deflate, got ${message}`) : error;
}

async function* chunks(source: ByteSource): AsyncGenerator<Uint8Array> {
  const step = 1 << 18;
  for (let at = 0; at < source.size; at += step) yield source.read(at, step);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function u64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}
