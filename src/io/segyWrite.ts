/** Writes records or velocity maps as SEG-Y rev 1. */
import { encodeBinaryHeader, traceHeaderBytes, writeTraceHeader } from "./segyHeaders.ts";
import type { SegyKind } from "./segyLayout.ts";
import { encodeIbm } from "./segySamples.ts";
import { encodeTextHeader } from "./segyText.ts";

/** `ieee` keeps every bit; `ibm`, for older programs, keeps 21 to 24 of a value's 24. */
export type SegySampleFormat = "ieee" | "ibm";

const formatCodes: Readonly<Record<SegySampleFormat, number>> = { ibm: 1, ieee: 5 };

/** What stands where. Records: shots by samples by receivers. Maps: one trace per column. */
export interface SegyGeometry {
  readonly kind: SegyKind;
  readonly count: number;
  /** 1 for maps. */
  readonly shots: number;
  /** Samples of a trace, or rows of a map. */
  readonly samples: number;
  /** Receivers, or columns of a map. */
  readonly width: number;
  /** Sample interval, ms; for maps the depth of a row, m. */
  readonly step: number;
  /** x of each source, m; not used for maps. */
  readonly sourcesM: readonly number[];
  /** x of each receiver or column, m. */
  readonly positionsM: readonly number[];
}

/** The format's samples and intervals have 16 bits, which rev 1 has signed. */
const fieldMax = 32767;

/**
 * The file in parts to write in order. `read` gives record i: [shots][samples][width], finite.
 * Field records count shots (or maps) from 1; positions are in mm.
 * Throws RangeError for a geometry that the format cannot hold, before the first part.
 */
export async function* writeSegy(
  geometry: SegyGeometry,
  sampleFormat: SegySampleFormat,
  read: (index: number) => Promise<Float32Array>,
): AsyncGenerator<Uint8Array> {
  const intervalUs = checkGeometry(geometry);
  const { samples, width, shots, count } = geometry;
  yield encodeTextHeader(describe(geometry, sampleFormat));
  yield encodeBinaryHeader({
    formatCode: formatCodes[sampleFormat],
    samples,
    intervalUs,
    tracesPerEnsemble: width,
  });
  const stride = traceHeaderBytes + 4 * samples;
  for (let record = 0; record < count; record++) {
    const values = await read(record);
    const bytes = new Uint8Array(shots * width * stride);
    const view = new DataView(bytes.buffer);
    for (let trace = 0; trace < shots * width; trace++) {
      const at = trace * stride;
      writeTraceHeader(view, at, traceFields(geometry, record, trace, intervalUs));
      writeSamples(view, at + traceHeaderBytes, values, geometry, trace, sampleFormat);
    }
    yield bytes;
  }
}

/** Returns the sample interval as the headers state it. */
function checkGeometry(geometry: SegyGeometry): number {
  const { kind, step, samples, width, shots, sourcesM, positionsM } = geometry;
  const intervalUs = Math.round(step * 1000);
  const what = kind === "maps" ? "depth step" : "sample interval";
  if (intervalUs < 1 || intervalUs > fieldMax || Math.abs(intervalUs - step * 1000) > 1e-6) {
    const unit = kind === "maps" ? "m" : "ms";
    throw new RangeError(`${what}: expected 0.001 to 32.767 ${unit} in 0.001 steps, got ${step}`);
  }
  if (samples < 1 || samples > fieldMax) {
    throw new RangeError(`samples: expected 1 to ${fieldMax} for SEG-Y, got ${samples}`);
  }
  if (positionsM.length !== width) {
    throw new RangeError(`positions: expected ${width}, got ${positionsM.length}`);
  }
  if (kind === "records" && sourcesM.length !== shots) {
    throw new RangeError(`sources: expected ${shots} positions, got ${sourcesM.length}`);
  }
  const far = [...positionsM, ...sourcesM].find((x) => !(Math.abs(x) < 2e6));
  if (far !== undefined) throw new RangeError(`positions: expected within 2000 km, got ${far} m`);
  return intervalUs;
}

function traceFields(
  { kind, shots, samples, width, sourcesM, positionsM }: SegyGeometry,
  record: number,
  trace: number,
  intervalUs: number,
) {
  const [shot, receiver] = [Math.floor(trace / width), trace % width];
  const receiverXM = positionsM[receiver]!;
  return {
    sequence: record * shots * width + trace + 1,
    fieldRecord: record * shots + shot + 1,
    traceNumber: receiver + 1,
    shot: shot + 1,
    ensemble: kind === "maps" ? receiver + 1 : 0,
    sourceXM: kind === "maps" ? receiverXM : sourcesM[shot]!,
    receiverXM,
    samples,
    intervalUs,
  };
}

function writeSamples(
  view: DataView,
  at: number,
  values: Float32Array,
  { samples, width }: SegyGeometry,
  trace: number,
  sampleFormat: SegySampleFormat,
): void {
  let from = Math.floor(trace / width) * samples * width + (trace % width);
  for (let t = 0; t < samples; t++, from += width) {
    const value = values[from]!;
    if (sampleFormat === "ieee") view.setFloat32(at + 4 * t, value);
    else view.setUint32(at + 4 * t, encodeIbm(value));
  }
}

function describe(geometry: SegyGeometry, sampleFormat: SegySampleFormat): string[] {
  const { kind, count, shots, samples, width, step, positionsM } = geometry;
  const floats = sampleFormat === "ibm" ? "IBM floats" : "IEEE floats";
  const span = `X ${positionsM[0]} TO ${positionsM.at(-1)} M`;
  if (kind === "maps") {
    return [
      "Written by epic convert: velocity maps in m/s",
      `${count} maps of ${samples} rows (depth) by ${width} columns, ${span}`,
      `One trace per column; samples are ${step} m of depth apart,`,
      "stated as 1000 per metre where time files have microseconds",
      `Samples: ${floats}. Field record: map. Ensemble: column. Coordinates in mm`,
    ];
  }
  return [
    "Written by epic convert: shot gathers",
    `${count} records of ${shots} shots, ${width} receivers each, ${span}`,
    `${samples} samples of ${step} ms from the shot on`,
    `Samples: ${floats}. Field record: shot. Coordinates in mm`,
  ];
}
