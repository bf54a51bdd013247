import type { NpyExpectation } from "../io/npy.ts";
import type { RecordFile } from "../io/recordFile.ts";
import { openRecords } from "../io/records.ts";

const announced = new Set<string>();

/**
 * Opens records or maps in any format that is read. What reading changes is said on stderr, once
 * per file and process. Throws an error that names file and fault.
 */
export async function openInput(path: string, expectation?: NpyExpectation): Promise<RecordFile> {
  const file = await openRecords(path, expectation);
  if (file.conversions.length > 0 && !announced.has(path)) {
    announced.add(path);
    process.stderr.write(`epic: ${describeConversions(file)}\n`);
  }
  return file;
}

/** `data.npy: read as float32 in C order from float64, Fortran order` */
export function describeConversions({ path, conversions }: RecordFile): string {
  return `${path}: read as float32 in C order from ${conversions.join(", ")}`;
}
