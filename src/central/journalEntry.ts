import { crc32c } from "../protocol/index.ts";

/** "EPJ1" as the four bytes stand in the file. */
const MAGIC = 0x314a5045;
/** Magic, length of the whole entry, CRC-32C of all behind it: u32 each, little-endian. */
const HEAD_BYTES = 12;
/** Record, u64; number of files, u8. */
const RECORD_BYTES = 9;

/** The files of one result, by name. */
export type ResultFiles = Readonly<Record<string, Uint8Array | readonly Uint8Array[]>>;

/** A result as one entry of a journal holds it. */
export interface JournalEntry {
  readonly record: bigint;
  /** By file name; views of the entry's bytes. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * One journal entry, all but its checksum, in an array of its own: head, record, then per file the
 * length of its name (u8), the name in ASCII, the length of its contents (u32), then all contents.
 */
export function encodeEntry(record: bigint, files: ResultFiles): Uint8Array<ArrayBuffer> {
  const parts = Object.entries(files).map(([name, contents]) => {
    const pieces = contents instanceof Uint8Array ? [contents] : contents;
    return { name, pieces, length: pieces.reduce((sum, piece) => sum + piece.length, 0) };
  });
  const tableBytes = parts.reduce((sum, { name }) => sum + 5 + name.length, 0);
  const start = HEAD_BYTES + RECORD_BYTES + tableBytes;
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, start));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, bytes.length, true);
  view.setBigUint64(HEAD_BYTES, record, true);
  view.setUint8(HEAD_BYTES + 8, parts.length);
  let table = HEAD_BYTES + RECORD_BYTES;
  let at = start;
  for (const { name, pieces, length } of parts) {
    view.setUint8(table++, name.length);
    for (let i = 0; i < name.length; i++) bytes[table++] = name.charCodeAt(i);
    view.setUint32(table, length, true);
    table += 4;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
  }
  return bytes;
}

/** Fills in the checksum of an entry as {@link encodeEntry} made it. */
export function sealEntry(bytes: Uint8Array): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(
    8,
    crc32c(bytes.subarray(HEAD_BYTES)),
    true,
  );
}

/** The record and files of an entry, which is taken to be whole. */
export function decodeEntry(bytes: Uint8Array): JournalEntry {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const record = view.getBigUint64(HEAD_BYTES, true);
  const lengths: [name: string, length: number][] = [];
  let at = HEAD_BYTES + RECORD_BYTES;
  for (let left = view.getUint8(HEAD_BYTES + 8); left > 0; left--) {
    const end = at + 1 + view.getUint8(at);
    const name = String.fromCharCode(...bytes.subarray(at + 1, end));
    lengths.push([name, view.getUint32(end, true)]);
    at = end + 4;
  }
  const files = new Map<string, Uint8Array>();
  for (const [name, length] of lengths) {
    files.set(name, bytes.subarray(at, at + length));
    at += length;
  }
  return { record, files };
}

/** The entries of a journal up to the first that is cut short or damaged: that one was never synced. */
export function splitJournal(bytes: Uint8Array): JournalEntry[] {
  const entries: JournalEntry[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + HEAD_BYTES + RECORD_BYTES <= bytes.length; ) {
    const length = view.getUint32(at + 4, true);
    const end = at + length;
    if (view.getUint32(at, true) !== MAGIC || length < HEAD_BYTES || end > bytes.length) break;
    if (view.getUint32(at + 8, true) !== crc32c(bytes.subarray(at + HEAD_BYTES, end))) break;
    entries.push(decodeEntry(bytes.subarray(at, end)));
    at = end;
  }
  return entries;
}
