/** npy files on disk: whole, or record by record without loading the file. */
import { writeFileAtomic } from "./atomic.ts";
import { type ByteSource, openByteSource } from "./byteSource.ts";
import {
  checkFinite,
  checkNpyLength,
  decodeNpy,
  decodeRange,
  decodeValues,
  formatShape,
  matchShape,
  type NpyArray,
  type NpyAxis,
  NpyError,
  type NpyExpectation,
  type NpyHeader,
  npyConversions,
  npyDataOffset,
  npyHeader,
  npyPreambleBytesMax,
  parseNpyHeader,
} from "./npyFormat.ts";
import { checkRecordIndex, type RecordFile, readTarget } from "./recordFile.ts";

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

/** A larger array in Fortran order is refused: its records lie scattered over the whole file. */
const fortranBytesMax = 2 ** 31;

/**
 * Reads an array whole, as float32. Refuses other types than float32 and float64, a length that
 * does not match, NaN and infinity. Throws NpyError; for a path its text starts with the path.
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
export class NpyRecords implements RecordFile {
  readonly path: string;
  readonly shape: readonly number[];
  readonly count: number;
  readonly recordLength: number;
  readonly total: number;
  /** numpy's name of the stored element type: `<f4`. */
  readonly dtype: string;
  readonly fortran: boolean;
  readonly conversions: readonly string[];
  readonly #source: ByteSource;
  readonly #header: NpyHeader;
  readonly #axes: readonly NpyAxis[] | undefined;
  /** All values in C order, once read, of a file in Fortran order. */
  #whole: Float32Array | undefined;

  private constructor(
    path: string,
    source: ByteSource,
    header: NpyHeader,
    axes?: readonly NpyAxis[],
  ) {
    this.path = path;
    this.#source = source;
    this.#header = header;
    this.#axes = axes;
    this.shape = header.shape;
    this.total = header.count;
    this.dtype = header.dtype;
    this.fortran = header.fortran;
    this.conversions = npyConversions(header);
    const hasRecordAxis = axes ? axes[0]?.length === "N" : header.shape.length > 0;
    this.count = hasRecordAxis ? header.shape[0]! : 1;
    this.recordLength = this.count === 0 ? 0 : header.count / this.count;
  }

  /**
   * Checks header, shape and file length; reads no values.
   * Throws NpyError with the path in its text, or the system's error when the file cannot be read.
   */
  static async open(path: string, expectation?: NpyExpectation): Promise<NpyRecords> {
    return NpyRecords.over(await openByteSource(path), path, expectation);
  }

  /** Like open, over bytes that are open already; closes them on failure and on close. */
  static async over(
    source: ByteSource,
    path: string,
    expectation?: NpyExpectation,
  ): Promise<NpyRecords> {
    try {
      const header = await readNpyHeader(source);
      const axes = expectation && matchShape(header.shape, expectation);
      checkNpyLength(header, source.size);
      if (header.fortran && source.size > fortranBytesMax) {
        const limit = `at most ${fortranBytesMax} bytes in Fortran order`;
        throw new NpyError("order", `expected C order, or ${limit}, got ${source.size}`);
      }
      return new NpyRecords(path, source, header, axes);
    } catch (error) {
      await source.close();
      throw withPath(path, error);
    }
  }

  /**
   * Values of record `index`, C order, into `out` if given (`recordLength` values).
   * Throws RangeError for an index or buffer out of range, NpyError for NaN and infinity.
   */
  async read(index: number, out?: Float32Array): Promise<Float32Array> {
    checkRecordIndex(index, this.count);
    return this.readRange(index * this.recordLength, this.recordLength, out);
  }

  /** `count` values from flat index `first`; checks that they are finite. */
  async readRange(first: number, count: number, out?: Float32Array): Promise<Float32Array> {
    const values = readTarget(count, out);
    try {
      await this.#read(first, values);
    } catch (error) {
      throw withPath(this.path, error);
    }
    return values;
  }

  async close(): Promise<void> {
    await this.#source.close();
  }

  async #read(first: number, out: Float32Array): Promise<void> {
    const { element, dataOffset, fortran, count } = this.#header;
    if (fortran) {
      this.#whole ??= decodeValues(
        await this.#bytes(dataOffset, count * element.bytes),
        this.#header,
        this.#axes,
      );
      out.set(this.#whole.subarray(first, first + out.length));
    } else if (this.conversions.length > 0) {
      const bytes = await this.#bytes(
        dataOffset + first * element.bytes,
        out.length * element.bytes,
      );
      decodeRange(bytes, element, out, this.shape, this.#axes, first);
    } else {
      await this.#fill(
        dataOffset + first * 4,
        new Uint8Array(out.buffer, out.byteOffset, out.byteLength),
      );
      checkFinite(out, this.shape, this.#axes, first);
    }
  }

  async #bytes(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    await this.#fill(offset, bytes);
    return bytes;
  }

  async #fill(offset: number, bytes: Uint8Array): Promise<void> {
    await this.#source.fill(offset, bytes).catch((error: unknown) => {
      throw error instanceof RangeError ? new NpyError("length", error.message) : error;
    });
  }
}

/** The header of an npy file; no values are read. Throws NpyError without a path. */
export async function readNpyHeader(source: ByteSource): Promise<NpyHeader> {
  const preamble = await source.read(0, npyPreambleBytesMax);
  return parseNpyHeader(await source.read(0, npyDataOffset(preamble)));
}

function withPath(path: string, error: unknown): unknown {
  return error instanceof NpyError ? new NpyError(error.code, `${path}: ${error.message}`) : error;
}
