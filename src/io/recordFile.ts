/** Records or maps in a file, whatever its format: read one at a time, as float32. Close it. */
export interface RecordFile {
  readonly path: string;
  /** In C order, the record axis first if there is one. */
  readonly shape: readonly number[];
  /** Number of records; 1 for a single map without a record axis. */
  readonly count: number;
  /** Values in one record. */
  readonly recordLength: number;
  /** Values in the file. */
  readonly total: number;
  /** What reading changes or takes for granted, in words; empty when the values are used as stored. */
  readonly conversions: readonly string[];
  /**
   * Values of record `index`, C order, into `out` if given (`recordLength` values).
   * Throws RangeError for an index or buffer out of range, an error that names the place for NaN
   * and infinity.
   */
  read(index: number, out?: Float32Array): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Throws RangeError unless `index` names one of `count` records. */
export function checkRecordIndex(index: number, count: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= count) {
    throw new RangeError(`record: expected 0 to ${count - 1}, got ${index}`);
  }
}

/**
 * Where `count` values are read to: `out`, or a new array.
 * Throws RangeError when `out` has another length.
 */
export function readTarget(count: number, out?: Float32Array): Float32Array {
  const values = out ?? new Float32Array(count);
  if (values.length !== count) {
    throw new RangeError(`out: expected ${count} values, got ${values.length}`);
  }
  return values;
}
