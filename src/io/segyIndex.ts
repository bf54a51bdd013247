/** What the trace headers of a SEG-Y file say: one pass over the file, no sample is kept. */
import type { ByteSource } from "./byteSource.ts";
import {
  type BinaryHeader,
  fileHeaderBytes,
  parseBinaryHeader,
  parseTraceHeader,
  SegyError,
  type TraceHeader,
  traceHeaderBytes,
} from "./segyHeaders.ts";
import { decodeTextHeader, type TextHeader, textHeaderBytes } from "./segyText.ts";

export interface SegyIndex {
  readonly text: TextHeader;
  readonly header: BinaryHeader;
  readonly samples: number;
  /** 0 where the file does not state it. */
  readonly intervalUs: number;
  /** Bytes from one trace to the next. */
  readonly stride: number;
  /** Live traces, in the file's order. */
  readonly traces: TraceColumns;
  /** Traces that are not seismic (time breaks, sweeps and the like), which are left out. */
  readonly auxiliary: number;
  readonly dead: number;
}

/** One value per live trace. Positions in m. */
export interface TraceColumns {
  readonly count: number;
  /** Which trace of the file, from 0. */
  readonly place: Int32Array;
  readonly fieldRecord: Int32Array;
  readonly traceNumber: Int32Array;
  readonly ensemble: Int32Array;
  readonly sourceX: Float64Array;
  readonly receiverX: Float64Array;
  readonly ensembleX: Float64Array;
}

/** 40 bytes each in memory, and at least as many GB in the file. */
const tracesMax = 20_000_000;
/** Bytes per read while passing over the traces. */
const scanBytes = 1 << 22;

/** Reads every trace header. Throws SegyError. */
export async function readSegyIndex(source: ByteSource): Promise<SegyIndex> {
  const start = await source.read(0, fileHeaderBytes);
  const header = parseBinaryHeader(start);
  const text = decodeTextHeader(start.subarray(0, textHeaderBytes));
  const first = await readFirstTrace(source, header);
  const samples = header.samples || first.samples;
  if (samples === 0) throw new SegyError("header", "expected samples per trace, got 0");
  const stride = traceHeaderBytes + samples * header.format.bytes;
  const count = countTraces(source.size - header.dataOffset, stride);
  const index = { header, samples, intervalUs: header.intervalUs || first.intervalUs, stride };
  return { text, ...index, ...(await readTraces(source, index, count)) };
}

async function readFirstTrace(source: ByteSource, header: BinaryHeader): Promise<TraceHeader> {
  const bytes = await source.read(header.dataOffset, traceHeaderBytes);
  if (bytes.length < traceHeaderBytes) {
    throw new SegyError("length", "expected at least one trace, got none");
  }
  return parseTraceHeader(viewOf(bytes), 0);
}

function countTraces(bytes: number, stride: number): number {
  const count = Math.floor(bytes / stride);
  if (bytes % stride !== 0) {
    const extra = bytes % stride;
    throw new SegyError(
      "length",
      `expected whole traces of ${stride} bytes, got ${count} and ${extra} bytes: the file is cut short`,
    );
  }
  if (count > tracesMax) {
    throw new SegyError("length", `expected at most ${tracesMax} traces, got ${count}`);
  }
  return count;
}

type Base = Pick<SegyIndex, "header" | "samples" | "intervalUs" | "stride">;

async function readTraces(
  source: ByteSource,
  base: Base,
  total: number,
): Promise<Pick<SegyIndex, "traces" | "auxiliary" | "dead">> {
  const traces = { count: 0, ...makeColumns(total) };
  let auxiliary = 0;
  let dead = 0;
  for await (const { trace, place } of traceHeaders(source, base, total)) {
    checkTrace(trace, place, base);
    const { identification } = trace;
    if (identification >= 3 && identification <= 8) {
      auxiliary++;
      continue;
    }
    if (identification === 2) dead++;
    const at = traces.count++;
    traces.place[at] = place;
    traces.fieldRecord[at] = trace.fieldRecord;
    traces.traceNumber[at] = trace.traceNumber;
    traces.ensemble[at] = trace.ensemble;
    traces.sourceX[at] = trace.sourceX * base.header.unitM;
    traces.receiverX[at] = trace.receiverX * base.header.unitM;
    traces.ensembleX[at] = trace.ensembleX * base.header.unitM;
  }
  if (traces.count === 0) throw new SegyError("length", "expected live traces, got none");
  return { traces, auxiliary, dead };
}

function makeColumns(count: number): Omit<TraceColumns, "count"> {
  return {
    place: new Int32Array(count),
    fieldRecord: new Int32Array(count),
    traceNumber: new Int32Array(count),
    ensemble: new Int32Array(count),
    sourceX: new Float64Array(count),
    receiverX: new Float64Array(count),
    ensembleX: new Float64Array(count),
  };
}

async function* traceHeaders(
  source: ByteSource,
  { header, stride }: Base,
  total: number,
): AsyncGenerator<{ trace: TraceHeader; place: number }> {
  const perRead = Math.max(1, Math.floor(scanBytes / stride));
  for (let from = 0; from < total; from += perRead) {
    const count = Math.min(perRead, total - from);
    // Of the last trace the header alone: a long trace need not be read for it.
    const length = (count - 1) * stride + traceHeaderBytes;
    const view = viewOf(await source.read(header.dataOffset + from * stride, length));
    if (view.byteLength < length)
      throw new SegyError("length", "expected a file that stays, got a shorter one");
    for (let i = 0; i < count; i++) {
      yield { trace: parseTraceHeader(view, i * stride), place: from + i };
    }
  }
}

function checkTrace(trace: TraceHeader, place: number, base: Base): void {
  const name = `trace ${place + 1}`;
  if (trace.samples !== 0 && trace.samples !== base.samples) {
    throw new SegyError(
      "header",
      `${name}: expected ${base.samples} samples like the others, got ${trace.samples}`,
    );
  }
  if (trace.intervalUs !== 0 && base.intervalUs !== 0 && trace.intervalUs !== base.intervalUs) {
    throw new SegyError(
      "interval",
      `${name}: expected a sample interval of ${base.intervalUs} us like the others, got ${trace.intervalUs}`,
    );
  }
  if (trace.delayMs !== 0) {
    throw new SegyError(
      "interval",
      `${name}: expected recording from the shot on, got a delay of ${trace.delayMs} ms`,
    );
  }
  const isPlaced = trace.sourceX !== 0 || trace.receiverX !== 0;
  if (isPlaced && trace.coordinateUnits > 1) {
    throw new SegyError(
      "geometry",
      `${name}: expected coordinates in units of length (1), got ${trace.coordinateUnits} (angles)`,
    );
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
