/** npy files on disk: whole, or record by record without loading the file. */
import { type FileHandle, open } from "node:fs/promises";
import { writeFileAtomic } from "./atomic.ts";
import {
  checkFinite,
  checkNpyLength,
  decodeNpy,
  formatShape,
  matchShape,
  type NpyArray,
  type NpyAxis,
  NpyError,
  type NpyExpectation,
  type NpyHeader,
  npyDataOffset,
  npyHeader,
  npyPreambleBytesMax,
  parseNpyHeader,
} from "./npyFormat.ts";

export {
  decodeNpy,
  encodeNpy,
  formatShape,
  type NpyArray,
  type NpyAxis,
  NpyError,
  type NpyErrorCode,
  type NpyExpectation,
  npyHeader,
  seismicExpectation,
  velocityExpectation,
} from "./npyFormat.ts";

/** One read call asks for at most this much: Node refuses reads of 2 GiB and more. */
const chunkBytes = 1 << 26;

/**
 * Reads a float32 array whole. Refuses other types, Fortran order, a length that does not match,
 * NaN and infinity. Throws NpyError; for a path its text starts with the path.
 */
export async function readNpy(
  source: string | Uint8Array,
  expectation?: NpyExpectation,
): Promise<NpyArray> {
  if (typeof source !== "string") return decodeNpy(source, expectation);
  const records = await NpyRecords.open(source, expectation);
  try {
    return { shape: records.shape, data: await records.readRange(0, records.total) };
  } finally {
    await records.close();
  }
}

/** Writes a float32 array, atomically. `data` in C order. Throws RangeError on a wrong length. */
export async function writeNpy(
  path: string,
  shape: readonly number[],
  data: Float32Array,
): Promise<void> {
  const count = shape.reduce((product, length) => product * length, 1);
  if (count !== data.length) {
    throw new RangeError(
      `${path}: expected ${count} values for shape ${formatShape(shape)}, got ${data.length}`,
    );
  }
  await writeFileAtomic(path, [
    npyHeader(shape),
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  ]);
}

/** An open npy file whose first axis counts records. Close it. */
export class NpyRecords {
  readonly path: string;
  readonly shape: readonly number[];
  /** Number of records; 1 for a single map without a record axis. */
  readonly count: number;
  /** Values in one record. */
  readonly recordLength: number;
  /** Values in the file. */
  readonly total: number;
  readonly #file: FileHandle;
  readonly #header: NpyHeader;
  readonly #axes: readonly NpyAxis[] | undefined;

  private constructor(
    path: string,
    file: FileHandle,
    header: NpyHeader,
    axes?: readonly NpyAxis[],
  ) {
    this.path = path;
    this.#file = file;
    this.#header = header;
    this.#axes = axes;
    this.shape = header.shape;
    this.total = header.count;
    const hasRecordAxis = axes ? axes[0]?.length === "N" : header.shape.length > 0;
    this.count = hasRecordAxis ? header.shape[0]! : 1;
    this.recordLength = this.count === 0 ? 0 : header.count / this.count;
  }

  /**
   * Checks header, shape and file length; reads no values.
   * Throws NpyError with the path in its text, or the system's error when the file cannot be read.
   */
  static async open(path: string, expectation?: NpyExpectation): Promise<NpyRecords> {
    const file = await open(path, "r");
    try {
      const status = await file.stat();
      if (status.isDirectory()) throw new NpyError("magic", "expected an npy file, got a folder");
      const preamble = await readAt(file, 0, npyPreambleBytesMax);
      const header = parseNpyHeader(await readAt(file, 0, npyDataOffset(preamble)));
      const axes = expectation && matchShape(header.shape, expectation);
      checkNpyLength(header, status.size);
      return new NpyRecords(path, file, header, axes);
    } catch (error) {
      await file.close();
      throw withPath(path, error);
    }
  }

  /**
   * Values of record `index`, C order, into `out` if given (`recordLength` values).
   * Throws RangeError for an index or buffer out of range, NpyError for NaN and infinity.
   */
  async read(index: number, out?: Float32Array): Promise<Float32Array> {
    if (!Number.isInteger(index) || index < 0 || index >= this.count) {
      throw new RangeError(`record: expected 0 to ${this.count - 1}, got ${index}`);
    }
    return this.readRange(index * this.recordLength, this.recordLength, out);
  }

  /** `count` values from flat index `first`; checks that they are finite. */
  async readRange(first: number, count: number, out?: Float32Array): Promise<Float32Array> {
    const values = out ?? new Float32Array(count);
    if (values.length !== count) {
      throw new RangeError(`out: expected ${count} values, got ${values.length}`);
    }
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const offset = this.#header.dataOffset + first * 4;
    try {
      await fill(this.#file, bytes, offset);
      checkFinite(values, this.shape, this.#axes, first);
    } catch (error) {
      throw withPath(this.path, error);
    }
    return values;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** Up to `bytesMax` bytes from `offset`; fewer at the end of the file. */
async function readAt(file: FileHandle, offset: number, bytesMax: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(bytesMax);
  const { bytesRead } = await file.read(buffer, 0, bytesMax, offset);
  return buffer.subarray(0, bytesRead);
}

async function fill(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const length = Math.min(chunkBytes, bytes.length - done);
    const { bytesRead } = await file.read(bytes, done, length, offset + done);
    if (bytesRead === 0) {
      throw new NpyError("length", `expected ${bytes.length} bytes, got ${done}: the file shrank`);
    }
    done += bytesRead;
  }
}

function withPath(path: string, error: unknown): unknown {
  return error instanceof NpyError ? new NpyError(error.code, `${path}: ${error.message}`) : error;
}
