import { findDuplicateKey } from "./duplicateKeys.ts";
import { WeightsError } from "./weightsError.ts";

/** The element types our files use, with the typed array that holds each. */
const ARRAYS = {
  I8: Int8Array,
  U8: Uint8Array,
  I16: Int16Array,
  U16: Uint16Array,
  I32: Int32Array,
  F32: Float32Array,
} as const;

export type DType = keyof typeof ARRAYS;
export type TensorData<D extends DType = DType> = InstanceType<(typeof ARRAYS)[D]>;

/** One tensor: row-major values (a view of the file's bytes where they are aligned, else a copy) and where they stood. */
export interface Tensor<D extends DType = DType> {
  readonly name: string;
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: TensorData<D>;
  /** Of the first value, from the start of the file. */
  readonly byteOffset: number;
}

/** A whole file: its string metadata and its tensors by name. */
export interface Safetensors {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Where the tensors' bytes begin, from the start of the file. */
  readonly dataStart: number;
}

const LENGTH_BYTES = 8;
/** The format allows 100 MB; ours hold a config and some fifty tensors. */
const HEADER_BYTES_MAX = 1 << 20;

interface Entry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Byte range, from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file (github.com/huggingface/safetensors, "Format"): an unsigned 64-bit
 * header length, a JSON header, then the tensors' little-endian bytes without gaps.
 * Strict: unknown dtypes, duplicate keys, gaps, overlaps, missing and surplus bytes are refused.
 * @throws WeightsError with the offset of the fault
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const headerBytes = readHeaderLength(bytes);
  const dataStart = LENGTH_BYTES + headerBytes;
  const header = parseHeader(bytes.subarray(LENGTH_BYTES, dataStart));
  const metadata = readMetadata(header.__metadata__);
  const entries = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => readEntry(name, value));
  checkContiguous(entries, bytes.length - dataStart, dataStart);
  const tensors = new Map<string, Tensor>();
  for (const entry of entries) tensors.set(entry.name, tensorOf(entry, bytes, dataStart));
  return { metadata, tensors, dataStart };
}

function readHeaderLength(bytes: Uint8Array): number {
  if (bytes.length < LENGTH_BYTES) {
    throw new WeightsError(
      `safetensors: expected at least ${LENGTH_BYTES} bytes, got ${bytes.length}`,
      0,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  const room = bytes.length - LENGTH_BYTES;
  const most = Math.min(HEADER_BYTES_MAX, room);
  if (length < 2n || length > BigInt(most)) {
    throw new WeightsError(
      `safetensors: expected a header of 2..${most} bytes, got a length of ${length}`,
      0,
    );
  }
  return Number(length);
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch {
    throw new WeightsError("safetensors header: expected JSON in UTF-8", LENGTH_BYTES);
  }
  if (!text.startsWith("{") || !isObject(header)) {
    throw new WeightsError("safetensors header: expected an object", LENGTH_BYTES);
  }
  const duplicate = findDuplicateKey(text, header);
  if (duplicate !== undefined) {
    throw new WeightsError(
      `safetensors header: key ${quote(duplicate)} stands twice`,
      LENGTH_BYTES,
    );
  }
  return header;
}

function readMetadata(value: unknown): Map<string, string> {
  const metadata = new Map<string, string>();
  if (value === undefined) return metadata;
  if (!isObject(value)) {
    throw new WeightsError("safetensors __metadata__: expected an object", LENGTH_BYTES);
  }
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") {
      throw new WeightsError(
        `safetensors __metadata__: expected a string for ${quote(key)}, got ${typeof text}`,
        LENGTH_BYTES,
      );
    }
    metadata.set(key, text);
  }
  return metadata;
}

function readEntry(name: string, value: unknown): Entry {
  const fail = (what: string): never => {
    throw new WeightsError(`tensor ${quote(name)}: ${what}`, LENGTH_BYTES);
  };
  if (!isObject(value)) return fail("expected an object");
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(ARRAYS, dtype)) {
    return fail(`expected dtype ${Object.keys(ARRAYS).join(", ")}, got ${JSON.stringify(dtype)}`);
  }
  if (!isSizes(shape)) return fail("expected a shape of non-negative integers");
  if (!isSizes(offsets) || offsets.length !== 2) return fail("expected two data offsets");
  const [begin, end] = offsets as [number, number];
  const count = shape.reduce((product, size) => product * size, 1);
  const expected = count * ARRAYS[dtype as DType].BYTES_PER_ELEMENT;
  if (end - begin !== expected) {
    return fail(`expected ${expected} bytes (${dtype} [${shape}]), got ${end - begin}`);
  }
  return { name, dtype: dtype as DType, shape, begin, end };
}

/** Tensors must cover the data section exactly: that rules out gaps, overlaps and surplus bytes. */
function checkContiguous(entries: readonly Entry[], dataBytes: number, dataStart: number): void {
  let expected = 0;
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== expected) {
      throw new WeightsError(
        `tensor ${quote(entry.name)}: expected to start at data byte ${expected}, got ${entry.begin}`,
        dataStart + Math.min(entry.begin, expected),
      );
    }
    expected = entry.end;
    if (expected > dataBytes) {
      throw new WeightsError(
        `tensor ${quote(entry.name)}: expected to end within ${dataBytes} data bytes, got ${expected}`,
        dataStart + dataBytes,
      );
    }
  }
  if (expected !== dataBytes) {
    throw new WeightsError(
      `safetensors: expected ${expected} data bytes, got ${dataBytes}`,
      dataStart + expected,
    );
  }
}

/** A view keeps a megabyte of weights from being held twice; the file does not promise that values are aligned. */
function tensorOf({ name, dtype, shape, begin, end }: Entry, bytes: Uint8Array, dataStart: number) {
  const { BYTES_PER_ELEMENT } = ARRAYS[dtype];
  const byteOffset = dataStart + begin;
  const own = bytes.subarray(byteOffset, dataStart + end);
  const canView = own.buffer instanceof ArrayBuffer && own.byteOffset % BYTES_PER_ELEMENT === 0;
  // Not bytes.slice(): on a Node Buffer that is a view, not a copy.
  const { buffer, byteOffset: start } = canView ? (own as Uint8Array<ArrayBuffer>) : copyOf(own);
  const data = new ARRAYS[dtype](buffer, start, (end - begin) / BYTES_PER_ELEMENT);
  return { name, dtype, shape, data, byteOffset } as Tensor;
}

function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** Names come from the file: keep a hostile one from filling the screen. */
function quote(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}...` : name);
}
