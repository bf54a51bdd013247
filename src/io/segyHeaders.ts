/**
 * The binary and trace headers of SEG-Y (SEG Technical Standards Committee, rev 1, 2002), the fields
 * of them that say what the samples are and where they were recorded. Byte numbers in comments are
 * the standard's, which count from 1. Pure: bytes in, numbers out.
 */
import { type SampleFormat, sampleFormats } from "./segySamples.ts";
import { textHeaderBytes } from "./segyText.ts";

/** What was wrong with the file; the text says what came. */
export type SegyErrorCode = "length" | "header" | "format" | "interval" | "geometry" | "value";

export class SegyError extends Error {
  override readonly name = "SegyError";
  readonly code: SegyErrorCode;

  constructor(code: SegyErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Textual and binary header. */
export const fileHeaderBytes = textHeaderBytes + 400;
export const traceHeaderBytes = 240;

/** The binary header. Zeros stand for "not stated". */
export interface BinaryHeader {
  /** 0 for files older than rev 1. */
  readonly revision: number;
  readonly formatCode: number;
  readonly format: SampleFormat;
  readonly samples: number;
  readonly intervalUs: number;
  /** One unit of length, m. */
  readonly unitM: number;
  /** Byte offset of the first trace. */
  readonly dataOffset: number;
}

/** `bytes`: the file's first 3600. Throws SegyError. */
export function parseBinaryHeader(bytes: Uint8Array): BinaryHeader {
  if (bytes.length < fileHeaderBytes) {
    const came = bytes.length === 0 ? "an empty file" : `${bytes.length}`;
    throw new SegyError("length", `expected at least ${fileHeaderBytes} bytes, got ${came}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const field = (byte: number) => view.getUint16(byte - 1);
  const formatCode = field(3225);
  const format = sampleFormats[formatCode];
  if (!format) throw new SegyError("format", refuseFormat(formatCode));
  const revision = field(3501);
  // Older files may hold anything in what rev 1 made the number of further textual headers.
  const extended = revision === 0 ? 0 : view.getInt16(3505 - 1);
  if (extended < 0) {
    const expected = "expected a known number of extended textual headers";
    throw new SegyError("header", `${expected}, got ${extended}`);
  }
  return {
    revision: revision >= 0x100 ? revision / 0x100 : revision,
    formatCode,
    format,
    samples: field(3221),
    intervalUs: field(3217),
    unitM: field(3255) === 2 ? 0.3048 : 1,
    dataOffset: fileHeaderBytes + extended * textHeaderBytes,
  };
}

function refuseFormat(code: number): string {
  const known = Object.entries(sampleFormats).map(([key, { name }]) => `${key} (${name})`);
  const expected = `expected sample format ${known.join(", ")}`;
  if (sampleFormats[code >> 8] && (code & 0xff) === 0) {
    return `${expected}, got ${code >> 8} in little-endian order, which SEG-Y is not`;
  }
  return `${expected}, got ${code}`;
}

/** One trace's header. Positions in the file's unit of length; numbers are 0 where not stated. */
export interface TraceHeader {
  readonly fieldRecord: number;
  readonly traceNumber: number;
  readonly ensemble: number;
  /** 1 live, 2 dead, 3 dummy, 4 to 8 not seismic. */
  readonly identification: number;
  readonly sourceX: number;
  readonly receiverX: number;
  readonly ensembleX: number;
  /** 0 or 1 lengths, the others angles. */
  readonly coordinateUnits: number;
  readonly delayMs: number;
  readonly samples: number;
  readonly intervalUs: number;
}

/** The header at byte `at` of `view`. */
export function parseTraceHeader(view: DataView, at: number): TraceHeader {
  const long = (byte: number) => view.getInt32(at + byte - 1);
  const short = (byte: number) => view.getInt16(at + byte - 1);
  const scalar = short(71);
  const position = (byte: number) =>
    scalar < 0 ? long(byte) / -scalar : long(byte) * (scalar === 0 ? 1 : scalar);
  return {
    fieldRecord: long(9),
    traceNumber: long(13),
    ensemble: long(21),
    identification: short(29),
    sourceX: position(73),
    receiverX: position(81),
    ensembleX: position(181),
    coordinateUnits: short(89),
    delayMs: short(109),
    samples: view.getUint16(at + 115 - 1),
    intervalUs: view.getUint16(at + 117 - 1),
  };
}

/** Positions are written in mm: int32 then reaches 2147 km. */
const positionScale = 1000;

export interface TraceFields {
  /** From 1, over the file. */
  readonly sequence: number;
  readonly fieldRecord: number;
  readonly traceNumber: number;
  /** From 1, within a record. */
  readonly shot: number;
  readonly ensemble: number;
  readonly sourceXM: number;
  readonly receiverXM: number;
  readonly samples: number;
  readonly intervalUs: number;
}

/** Writes a live trace's header into 240 zero bytes at `at` of `view`. */
export function writeTraceHeader(view: DataView, at: number, fields: TraceFields): void {
  const { sourceXM, receiverXM } = fields;
  const millimetres = (metres: number) => Math.round(metres * positionScale);
  const long = (byte: number, value: number) => view.setInt32(at + byte - 1, value);
  const short = (byte: number, value: number) => view.setInt16(at + byte - 1, value);
  long(1, fields.sequence);
  long(5, fields.sequence);
  long(9, fields.fieldRecord);
  long(13, fields.traceNumber);
  long(17, fields.shot);
  long(21, fields.ensemble);
  long(25, 1);
  short(29, 1);
  short(35, 1); // production data
  long(37, Math.round(receiverXM - sourceXM));
  short(69, 1);
  short(71, -positionScale);
  long(73, millimetres(sourceXM));
  long(81, millimetres(receiverXM));
  short(89, 1);
  short(115, fields.samples);
  short(117, fields.intervalUs);
  long(181, millimetres((sourceXM + receiverXM) / 2));
}

/** The 400 bytes behind the textual header. `tracesPerEnsemble`: of a shot. */
export function encodeBinaryHeader(header: {
  readonly formatCode: number;
  readonly samples: number;
  readonly intervalUs: number;
  readonly tracesPerEnsemble: number;
}): Uint8Array {
  const bytes = new Uint8Array(fileHeaderBytes - textHeaderBytes);
  const view = new DataView(bytes.buffer);
  const field = (byte: number, value: number) => view.setUint16(byte - 1 - textHeaderBytes, value);
  view.setInt32(0, 1); // 3201: job
  view.setInt32(4, 1); // 3205: line
  field(3213, header.tracesPerEnsemble);
  field(3217, header.intervalUs);
  field(3219, header.intervalUs);
  field(3221, header.samples);
  field(3223, header.samples);
  field(3225, header.formatCode);
  field(3229, 1); // as recorded
  field(3255, 1); // metres
  field(3501, 0x100); // rev 1.0
  field(3503, 1); // all traces have the same length
  return bytes;
}
