/** Opens a file of records or maps by what it is: npy, npz or SEG-Y. */
import { openByteSource } from "./byteSource.ts";
import { NpyRecords } from "./npy.ts";
import type { NpyExpectation } from "./npyFormat.ts";
import { openNpz } from "./npz.ts";
import type { RecordFile } from "./recordFile.ts";
import { SegyRecords } from "./segy.ts";

/** File name endings of what openRecords reads. */
const segyEndings = [".sgy", ".segy"];
export const recordEndings: readonly string[] = [".npy", ".npz", ...segyEndings];

/**
 * Opens `path`, or the array NAME of an archive for `FILE.npz:NAME`. Checks what the file says of
 * itself against `expectation`; reads no values. Throws an error that names file and fault.
 */
export async function openRecords(path: string, expectation?: NpyExpectation): Promise<RecordFile> {
  const { file, array } = splitArrayName(path);
  if (isSegyName(file)) return SegyRecords.open(file, expectation);
  if (array !== undefined || (await isZip(file))) return openNpz(file, array, expectation);
  return NpyRecords.open(file, expectation);
}

/** `FILE.npz:NAME` in its two parts. */
export function splitArrayName(path: string): { file: string; array: string | undefined } {
  const parts = /^(.*\.npz):([^/\\]+)$/is.exec(path);
  return { file: parts?.[1] ?? path, array: parts?.[2] };
}

/** `name` without an ending that openRecords reads; undefined when it has none. */
export function withoutRecordEnding(name: string): string | undefined {
  const ending = recordEndings.find((candidate) => name.toLowerCase().endsWith(candidate));
  return ending && name.slice(0, -ending.length);
}

/** SEG-Y has no magic number: the name alone tells. */
export function isSegyName(name: string): boolean {
  return segyEndings.some((ending) => name.toLowerCase().endsWith(ending));
}

async function isZip(path: string): Promise<boolean> {
  const source = await openByteSource(path);
  try {
    const start = await source.read(0, 4);
    return start[0] === 0x50 && start[1] === 0x4b && start[2] === 3 && start[3] === 4;
  } finally {
    await source.close();
  }
}
