import type { NpyExpectation } from "../io/npy.ts";
import type { RecordFile } from "../io/recordFile.ts";
import { openRecords } from "../io/records.ts";

const announced = new Set<string>();

/**
 * Opens records or maps in any format that is read, and says on stderr what reading changes.
 * Throws an error that names file and fault.
 */
export async function openInput(path: string, expectation?: NpyExpectation): Promise<RecordFile> {
  const file = await openRecords(path, expectation);
  announceConversions(path, file);
  return file;
}

/** `epic: data.npy: read as float32 in C order from float64`, once per file and process. */
export function announceConversions(path: string, { conversions }: RecordFile): void {
  if (conversions.length === 0 || announced.has(path)) return;
  announced.add(path);
  process.stderr.write(
    `epic: ${path}: read as float32 in C order from ${conversions.join(", ")}\n`,
  );
}
