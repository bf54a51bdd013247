/** SEG-Y files of records or maps: read record by record, and written. */
import { type ByteSource, openByteSource } from "./byteSource.ts";
import { formatShape, type NpyExpectation } from "./npyFormat.ts";
import { checkRecordIndex, type RecordFile, readTarget } from "./recordFile.ts";
import { SegyError, traceHeaderBytes } from "./segyHeaders.ts";
import { readSegyIndex, type SegyIndex } from "./segyIndex.ts";
import { type LayoutOptions, layOut, type SegyLayout } from "./segyLayout.ts";

export { SegyError, type SegyErrorCode } from "./segyHeaders.ts";
export type { SegyKind } from "./segyLayout.ts";
export { type SegyGeometry, type SegySampleFormat, writeSegy } from "./segyWrite.ts";

/** Neighbouring traces are read together, up to this. */
const readBytesMax = 1 << 23;

/**
 * An open SEG-Y file. Records have the shape (N, shots, samples, receivers): shots and receivers by
 * their positions from left to right, values as stored. Maps have (N, 1, rows, columns).
 */
export class SegyRecords implements RecordFile {
  readonly path: string;
  readonly shape: readonly number[];
  readonly count: number;
  readonly recordLength: number;
  readonly total: number;
  readonly conversions: readonly string[];
  readonly index: SegyIndex;
  readonly layout: SegyLayout;
  readonly #source: ByteSource;

  private constructor(path: string, source: ByteSource, index: SegyIndex, layout: SegyLayout) {
    this.path = path;
    this.#source = source;
    this.index = index;
    this.layout = layout;
    this.count = layout.places.length;
    this.shape = [this.count, layout.shots, index.samples, layout.width];
    this.recordLength = layout.shots * index.samples * layout.width;
    this.total = this.count * this.recordLength;
    this.conversions = describeReading(index, layout);
  }

  /**
   * Reads the headers of all traces and checks them against `expectation`; reads no samples.
   * Throws SegyError with the path in its text, or the system's error.
   */
  static async open(
    path: string,
    expectation?: NpyExpectation,
    options?: LayoutOptions,
  ): Promise<SegyRecords> {
    return SegyRecords.over(await openByteSource(path), path, expectation, options);
  }

  /** Like open, over bytes that are open already; closes them on failure and on close. */
  static async over(
    source: ByteSource,
    path: string,
    expectation?: NpyExpectation,
    options?: LayoutOptions,
  ): Promise<SegyRecords> {
    try {
      const index = await readSegyIndex(source);
      checkSampling(index, expectation);
      return new SegyRecords(path, source, index, layOut(index, expectation, options));
    } catch (error) {
      await source.close();
      throw withPath(path, error);
    }
  }

  async read(index: number, out?: Float32Array): Promise<Float32Array> {
    checkRecordIndex(index, this.count);
    const values = readTarget(this.recordLength, out);
    try {
      await this.#read(index, values);
    } catch (error) {
      throw withPath(this.path, error);
    }
    return values;
  }

  async close(): Promise<void> {
    await this.#source.close();
  }

  async #read(record: number, out: Float32Array): Promise<void> {
    const places = this.layout.places[record]!;
    const { header, stride } = this.index;
    const order = Array.from(places.keys()).sort((a, b) => places[a]! - places[b]!);
    for (let from = 0; from < order.length; ) {
      const first = places[order[from]!]!;
      let count = 1;
      while (
        places[order[from + count] ?? -1] === first + count &&
        (count + 1) * stride <= readBytesMax
      ) {
        count++;
      }
      const bytes = new Uint8Array(count * stride);
      await this.#source.fill(header.dataOffset + first * stride, bytes);
      for (let i = 0; i < count; i++) {
        this.#decode(bytes.subarray(i * stride, (i + 1) * stride), record, order[from + i]!, out);
      }
      from += count;
    }
  }

  /** One trace to its column of the record. `at`: shot * width + receiver. */
  #decode(bytes: Uint8Array, record: number, at: number, out: Float32Array): void {
    const { samples, header } = this.index;
    const { width, kind } = this.layout;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const [shot, receiver] = [Math.floor(at / width), at % width];
    let to = shot * samples * width + receiver;
    for (let t = 0; t < samples; t++, to += width) {
      const value = header.format.decode(view, traceHeaderBytes + t * header.format.bytes);
      out[to] = value;
      if (Number.isFinite(out[to])) continue;
      const place =
        kind === "maps"
          ? `row ${t}, column ${receiver}`
          : `shot ${shot}, sample ${t}, receiver ${receiver}`;
      const wanted = Number.isFinite(value) ? "values within float32's range" : "finite values";
      throw new SegyError(
        "value",
        `expected ${wanted}, got ${value} at record ${record}, ${place}`,
      );
    }
  }
}

function checkSampling({ samples, intervalUs }: SegyIndex, expectation?: NpyExpectation): void {
  for (const axes of expectation?.shapes ?? []) {
    const axis = axes.find(({ name }) => name === "sample" || name === "row");
    if (axis && axis.length !== "N" && axis.length !== samples) {
      throw new SegyError(
        "geometry",
        `${expectation!.what}: expected ${axis.length} samples per trace, got ${samples}`,
      );
    }
  }
  const dtMs = expectation?.steps?.dtMs;
  if (dtMs !== undefined && intervalUs !== 0 && Math.abs(intervalUs - dtMs * 1000) > 0.5) {
    throw new SegyError(
      "interval",
      `${expectation!.what}: expected a sample interval of ${dtMs} ms, got ${intervalUs / 1000} ms`,
    );
  }
}

function describeReading(index: SegyIndex, layout: SegyLayout): string[] {
  const { header, intervalUs, auxiliary, dead } = index;
  return [
    ...(header.formatCode === 5 ? [] : [header.format.name]),
    ...(header.unitM === 1 ? [] : ["positions in feet"]),
    ...(intervalUs === 0 && layout.kind === "records" ? ["no sample interval stated"] : []),
    ...(auxiliary > 0 ? [`${auxiliary} auxiliary traces left out`] : []),
    ...(dead > 0 ? [`${dead} traces marked dead`] : []),
    ...layout.notes,
  ];
}

/** `(2, 5, 1000, 70)` and what its axes are. */
export function describeSegyShape({ shape, layout }: SegyRecords): string {
  const axes =
    layout.kind === "maps" ? "velocity maps" : "records (record, shot, sample, receiver)";
  return `${formatShape(shape)}: ${shape[0]} ${axes}`;
}

function withPath(path: string, error: unknown): unknown {
  if (error instanceof SegyError) return new SegyError(error.code, `${path}: ${error.message}`);
  const isShort = error instanceof RangeError && error.message.startsWith("bytes: ");
  return isShort ? new SegyError("length", `${path}: ${error.message}`) : error;
}
