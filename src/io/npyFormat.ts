/**
 * NumPy's .npy format (numpy/lib/format.py, versions 1 to 3), as far as this product goes: writes
 * little-endian float32 in C order; reads float32 and float64 of either byte order in either axis
 * order, as float32. Pure: bytes in, bytes out.
 */
import type { LineSteps } from "./lineSteps.ts";
import {
  decodeElements,
  fortranToC,
  isOrderFree,
  type NpyElement,
  npyElements,
} from "./npyElements.ts";

/** What was wrong with the file; the text says what came. */
export type NpyErrorCode =
  | "empty"
  | "magic"
  | "version"
  | "header"
  | "dtype"
  | "order"
  | "shape"
  | "length"
  | "value"
  | "archive";

export class NpyError extends Error {
  override readonly name = "NpyError";
  readonly code: NpyErrorCode;

  constructor(code: NpyErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export interface NpyArray {
  readonly shape: readonly number[];
  /** C order, `shape` product values. */
  readonly data: Float32Array;
}

/** One axis of an expected shape: a fixed length, or any length of at least one. */
export interface NpyAxis {
  readonly name: string;
  readonly length: number | "N";
}

export interface NpyExpectation {
  /** What the file should hold, for the error text: "seismic data". */
  readonly what: string;
  /** The accepted shapes, the usual one first. */
  readonly shapes: readonly (readonly NpyAxis[])[];
  /** Steps in time and places along the line, for files that state them. */
  readonly steps?: LineSteps;
}

export interface NpyHeader {
  readonly shape: readonly number[];
  /** Product of `shape`. */
  readonly count: number;
  /** Byte offset of the first value. */
  readonly dataOffset: number;
  /** numpy's name of the element type: `<f4`. */
  readonly dtype: string;
  readonly element: NpyElement;
  /** The values lie in Fortran order, and that is not C order too. */
  readonly fortran: boolean;
}

/** Magic, version and the length field of versions 2 and 3. */
export const npyPreambleBytesMax = 12;

/** Far above any real header (numpy's are 64 to 128 bytes); a longer one is refused unread. */
export const npyHeaderBytesMax = 65536;

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

/** OpenFWI's seismic layout, (N, shots, samples, receivers). */
export function seismicExpectation(
  geometry: { shots: number; samples: number; receivers: number },
  steps?: LineSteps,
): NpyExpectation {
  return {
    what: "seismic data",
    ...(steps && { steps }),
    shapes: [
      [
        { name: "record", length: "N" },
        { name: "shot", length: geometry.shots },
        { name: "sample", length: geometry.samples },
        { name: "receiver", length: geometry.receivers },
      ],
    ],
  };
}

/** Velocity maps: (N, 1, rows, columns), (N, rows, columns) or (rows, columns). */
export function velocityExpectation(
  map: readonly [rows: number, columns: number],
  dxM?: number,
): NpyExpectation {
  const record: NpyAxis = { name: "record", length: "N" };
  const channel: NpyAxis = { name: "channel", length: 1 };
  const image: NpyAxis[] = [
    { name: "row", length: map[0] },
    { name: "column", length: map[1] },
  ];
  return {
    what: "velocity maps",
    ...(dxM !== undefined && { steps: { dxM } }),
    shapes: [[record, channel, ...image], [record, ...image], image],
  };
}

/**
 * Bytes from the start of the file to its first value, read from its first
 * `npyPreambleBytesMax` bytes. Throws NpyError "empty", "magic", "version" or "header".
 */
export function npyDataOffset(preamble: Uint8Array): number {
  if (preamble.length === 0) throw new NpyError("empty", "expected an npy file, got an empty file");
  for (const [i, byte] of magic.entries()) {
    if (preamble[i] !== byte) {
      throw new NpyError("magic", `expected an npy file (\\x93NUMPY), got ${hex(preamble)}`);
    }
  }
  const major = preamble[6] ?? 0;
  if (major < 1 || major > 3) {
    throw new NpyError("version", `expected npy version 1 to 3, got ${major}.${preamble[7] ?? 0}`);
  }
  const start = major === 1 ? 10 : 12;
  if (preamble.length < start) {
    throw new NpyError("header", `expected ${start} bytes of preamble, got ${preamble.length}`);
  }
  const view = new DataView(preamble.buffer, preamble.byteOffset, preamble.byteLength);
  const headerBytes = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerBytes > npyHeaderBytesMax) {
    const limit = `expected a header of at most ${npyHeaderBytesMax} bytes`;
    throw new NpyError("header", `${limit}, got one of ${headerBytes}`);
  }
  return start + headerBytes;
}

/**
 * The header of an npy file. `bytes` holds at least the file's first `npyDataOffset` bytes.
 * Throws NpyError for other types than float32 and float64.
 */
export function parseNpyHeader(bytes: Uint8Array): NpyHeader {
  const dataOffset = npyDataOffset(bytes);
  if (bytes.length < dataOffset) {
    throw new NpyError("header", `expected a header of ${dataOffset} bytes, got ${bytes.length}`);
  }
  const start = bytes[6] === 1 ? 10 : 12;
  const fields = parseDictionary(new TextDecoder().decode(bytes.subarray(start, dataOffset)));
  const element = npyElements[fields.descr];
  if (!element) {
    const came = describeDtype(fields.descr);
    throw new NpyError("dtype", `expected float32 or float64, got ${came}`);
  }
  const shape = parseShape(fields.shape);
  const count = shape.reduce((product, length) => product * length, 1);
  if (!Number.isSafeInteger(count * element.bytes)) {
    throw new NpyError("shape", `expected a shape that fits a file, got ${formatShape(shape)}`);
  }
  const fortran = fields.order === "True" && !isOrderFree(shape);
  const dtype = fields.descr.slice(1, -1);
  return { shape, count, dataOffset, dtype, element, fortran };
}

/** What reading changes, in words: `float64`, `big-endian`, `Fortran order`. */
export function npyConversions({ element, fortran }: NpyHeader): string[] {
  return [
    ...(element.bytes === 8 ? ["float64"] : []),
    ...(element.littleEndian ? [] : ["big-endian"]),
    ...(fortran ? ["Fortran order"] : []),
  ];
}

/** Throws NpyError "shape" unless `shape` is one of the expected. Returns the axes that matched. */
export function matchShape(
  shape: readonly number[],
  expectation: NpyExpectation,
): readonly NpyAxis[] {
  for (const axes of expectation.shapes) {
    const fits = (axis: NpyAxis, i: number) =>
      axis.length === "N" ? (shape[i] ?? 0) >= 1 : shape[i] === axis.length;
    if (axes.length === shape.length && axes.every(fits)) return axes;
  }
  const expected = expectation.shapes
    .map((axes) => `(${axes.map((axis) => axis.length).join(", ")})`)
    .join(" or ");
  throw new NpyError(
    "shape",
    `${expectation.what}: expected shape ${expected}, got ${formatShape(shape)}`,
  );
}

/** Throws NpyError "length" unless a file of `fileBytes` holds exactly the header's values. */
export function checkNpyLength(header: NpyHeader, fileBytes: number): void {
  const expected = header.count * header.element.bytes;
  const got = fileBytes - header.dataOffset;
  if (got === expected) return;
  const fault = got < expected ? "the file is cut short" : "extra bytes follow the data";
  throw new NpyError(
    "length",
    `expected ${expected} bytes of data for shape ${formatShape(header.shape)}, got ${got}: ${fault}`,
  );
}

/**
 * Throws NpyError "value" for the first NaN or infinity, naming its place.
 * `firstIndex` is the flat index of `values[0]` in an array of `shape`.
 */
export function checkFinite(
  values: Float32Array,
  shape: readonly number[],
  axes?: readonly NpyAxis[],
  firstIndex = 0,
): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    // x - x is 0 for every finite x and NaN for the rest.
    if (value - value !== 0) {
      const place = describePlace(firstIndex + i, shape, axes);
      throw new NpyError("value", `expected finite values, got ${value} at ${place}`);
    }
  }
}

/** A whole npy file held in memory. Copies the values. Throws NpyError. */
export function decodeNpy(bytes: Uint8Array, expectation?: NpyExpectation): NpyArray {
  const header = parseNpyHeader(bytes);
  const axes = expectation && matchShape(header.shape, expectation);
  checkNpyLength(header, bytes.length);
  const data = decodeValues(bytes.subarray(header.dataOffset), header, axes);
  return { shape: header.shape, data };
}

/** All values of a file, in C order; `bytes` holds them and no more. Throws NpyError "value". */
export function decodeValues(
  bytes: Uint8Array,
  header: NpyHeader,
  axes?: readonly NpyAxis[],
): Float32Array {
  const stored = new Float32Array(header.count);
  // In Fortran order a place in the file is a place in the array with its axes turned round.
  const shape = header.fortran ? header.shape.toReversed() : header.shape;
  const names = header.fortran ? axes?.toReversed() : axes;
  decodeRange(bytes, header.element, stored, shape, names);
  return header.fortran ? fortranToC(stored, header.shape) : stored;
}

/** Values of `bytes` into `out`, in the file's order, checked. Arguments as of checkFinite. */
export function decodeRange(
  bytes: Uint8Array,
  element: NpyElement,
  out: Float32Array,
  shape: readonly number[],
  axes?: readonly NpyAxis[],
  firstIndex = 0,
): void {
  const overflow = decodeElements(bytes, element, out);
  const written = overflow ? out.subarray(0, overflow.index) : out;
  checkFinite(written, shape, axes, firstIndex);
  if (!overflow) return;
  const place = describePlace(firstIndex + overflow.index, shape, axes);
  throw new NpyError(
    "value",
    `expected values within float32's range, got ${overflow.value} at ${place}`,
  );
}

/** Version 1.0 header for values of `shape`, padded so that the data start on 64 bytes. */
export function npyHeader(shape: readonly number[], type: "<f4" | "<u2" = "<f4"): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const total = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = new TextEncoder().encode(`${" ".repeat(10)}${text.padEnd(total - 11)}\n`);
  bytes.set([...magic, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, total - 10, true);
  return bytes;
}

/** A whole npy file. Throws RangeError when `data` does not fill `shape`. */
export function encodeNpy(shape: readonly number[], data: Float32Array): Uint8Array {
  const count = shape.reduce((product, length) => product * length, 1);
  if (count !== data.length) {
    throw new RangeError(
      `npy data: expected ${count} values for shape ${formatShape(shape)}, got ${data.length}`,
    );
  }
  const header = npyHeader(shape);
  const bytes = new Uint8Array(header.length + data.byteLength);
  bytes.set(header);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.length);
  return bytes;
}

/** `(500, 5, 1000, 70)` */
export function formatShape(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}

interface Dictionary {
  descr: string;
  order: string;
  shape: string;
}

/** The three fields of numpy's header dictionary, as their literal text. */
function parseDictionary(text: string): Dictionary {
  const body = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1];
  if (body === undefined) throw badHeader(text);
  const fields = new Map<string, string>();
  // A value is a string, a name, a tuple of numbers, or (a structured dtype) a list.
  const entry = /\s*'(\w+)'\s*:\s*('[^']*'|\w+|\([^()]*\)|\[.*?\](?=\s*,\s*'\w+'\s*:))\s*(?:,|$)/sy;
  while (body.slice(entry.lastIndex).trim() !== "") {
    const match = entry.exec(body);
    if (!match || fields.has(match[1]!)) throw badHeader(text);
    fields.set(match[1]!, match[2]!);
  }
  const descr = fields.get("descr");
  const order = fields.get("fortran_order");
  const shape = fields.get("shape");
  if (descr === undefined || order === undefined || shape === undefined || fields.size !== 3) {
    throw badHeader(text);
  }
  if (order !== "True" && order !== "False") throw badHeader(text);
  return { descr, order, shape };
}

function parseShape(text: string): number[] {
  const body = /^\(\s*((?:\d+\s*,\s*)*(?:\d+)?)\s*\)$/.exec(text)?.[1];
  // "(3)" is a number in Python, not a tuple.
  if (body === undefined || /^\d+$/.test(body)) {
    throw new NpyError("shape", `expected a shape tuple, got ${clip(text)}`);
  }
  const lengths = body
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "")
    .map(Number);
  if (lengths.length > 32 || !lengths.every(Number.isSafeInteger)) {
    throw new NpyError("shape", `expected at most 32 axes of sane length, got ${clip(text)}`);
  }
  return lengths;
}

const dtypeNames: Readonly<Record<string, string>> = {
  f2: "float16",
  f4: "float32",
  f8: "float64",
  i1: "int8",
  i2: "int16",
  i4: "int32",
  i8: "int64",
  u1: "uint8",
  u2: "uint16",
  u4: "uint32",
  u8: "uint64",
  c8: "complex64",
  c16: "complex128",
  b1: "bool",
};

/** `float64 ('<f8')`, `float32, big-endian ('>f4')`, `a structured type`. */
function describeDtype(literal: string): string {
  if (literal.startsWith("[")) return "a structured type";
  const name = dtypeNames[literal.slice(2, -1)];
  if (!name) return clip(literal);
  return `${name}${literal[1] === ">" ? ", big-endian" : ""} (${literal})`;
}

/** `record 3, shot 0, sample 17, receiver 69`, or `index (3, 0, 17, 69)` without axis names. */
function describePlace(
  flatIndex: number,
  shape: readonly number[],
  axes?: readonly NpyAxis[],
): string {
  const index: number[] = [];
  let rest = flatIndex;
  for (const length of shape.toReversed()) {
    index.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  if (!axes) return `index ${formatShape(index)}`;
  return index.map((position, i) => `${axes[i]?.name ?? "axis"} ${position}`).join(", ");
}

function badHeader(text: string): NpyError {
  return new NpyError("header", `expected an npy header dictionary, got ${clip(text)}`);
}

/** Text from a file, made safe to print on one line. */
function clip(text: string): string {
  const plain = text.trim().replace(/[^\x20-\x7e]+/g, "?");
  return plain.length > 60 ? `${plain.slice(0, 57)}...` : `"${plain}"`;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 6), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
