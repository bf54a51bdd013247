/** From the trace headers of a SEG-Y file to records: which trace is which shot and receiver. */
import type { LineSteps } from "./lineSteps.ts";
import type { NpyExpectation } from "./npyFormat.ts";
import { SegyError } from "./segyHeaders.ts";
import type { SegyIndex, TraceColumns } from "./segyIndex.ts";

/** Records are shots by receivers; maps are one trace per column, their samples the rows. */
export type SegyKind = "records" | "maps";

export interface SegyLayout {
  readonly kind: SegyKind;
  /** Shots of a record; 1 for maps. */
  readonly shots: number;
  /** Receivers of a shot, or columns of a map. */
  readonly width: number;
  /** By record, shot and receiver: which trace of the file, from 0. */
  readonly places: readonly Int32Array[];
  /** Positions of the first record, m; undefined where the headers do not state them. */
  readonly sourcesM: readonly number[] | undefined;
  readonly positionsM: readonly number[] | undefined;
  /** What had to be taken for granted. */
  readonly notes: readonly string[];
}

export interface LayoutOptions {
  /** By the headers when absent: a map's traces have source and receiver at one place. */
  readonly kind?: SegyKind | undefined;
  /** Shots of a record. When absent: as expected, or until a source position comes again. */
  readonly shots?: number | undefined;
}

/** Traces that belong together: a shot, or a map. Indices into the columns. */
interface Gather {
  readonly name: string;
  readonly sourceX: number;
  readonly traces: number[];
  readonly positions: Set<number>;
}

/** How traces are told apart within a gather. */
interface Position {
  readonly values: ArrayLike<number> | undefined;
  /** The values are metres along the line. */
  readonly metres: boolean;
}

/** Orders the traces and checks them against what is expected. Throws SegyError "geometry". */
export function layOut(
  index: SegyIndex,
  expectation: NpyExpectation | undefined,
  options: LayoutOptions = {},
): SegyLayout {
  const kind = options.kind ?? expectedKind(expectation) ?? guessKind(index.traces);
  const widths = lengths(expectation, kind === "maps" ? "column" : "receiver");
  const position = choosePosition(index.traces, kind);
  const gathers = gatherTraces(index.traces, kind, position, widths);
  checkWidths(gathers, kind, widths);
  for (const gather of gathers) sortByPosition(gather, position);
  const records = groupRecords(gathers, kind, options.shots ?? lengths(expectation, "shot")[0]);
  const sourcesM = kind === "records" ? sourcePositions(records) : undefined;
  if (position.metres) {
    checkStanding(records, position);
    if (expectation?.steps)
      checkPlaces(records, position, expectation.steps, sourcesM !== undefined);
  }
  return {
    kind,
    shots: records[0]!.length,
    width: gathers[0]!.traces.length,
    places: records.map((record) => placesOf(record, index.traces)),
    sourcesM,
    positionsM: position.metres ? positionsOf(gathers[0]!, position) : undefined,
    notes: layoutNotes(kind, position, sourcesM),
  };
}

function expectedKind(expectation: NpyExpectation | undefined): SegyKind | undefined {
  if (!expectation) return undefined;
  return lengths(expectation, "column").length > 0 ? "maps" : "records";
}

function guessKind({ count, sourceX, receiverX, fieldRecord, ensemble }: TraceColumns): SegyKind {
  for (let i = 0; i < count; i++) if (sourceX[i] !== receiverX[i]) return "records";
  // Without positions, several field records of one ensemble are shots.
  const isPlaced = isVaried(receiverX, count);
  return !isPlaced && isVaried(fieldRecord, count) && !isVaried(ensemble, count)
    ? "records"
    : "maps";
}

/** The lengths that an axis may have. */
function lengths(expectation: NpyExpectation | undefined, name: string): number[] {
  const found = new Set<number>();
  for (const shape of expectation?.shapes ?? []) {
    for (const axis of shape) {
      if (axis.name === name && axis.length !== "N") found.add(axis.length);
    }
  }
  return [...found];
}

function choosePosition(traces: TraceColumns, kind: SegyKind): Position {
  const { receiverX, ensembleX, traceNumber, ensemble, count } = traces;
  const metres = kind === "maps" ? [ensembleX, receiverX] : [receiverX];
  for (const values of metres) if (isVaried(values, count)) return { values, metres: true };
  const numbers = kind === "maps" ? [ensemble, traceNumber] : [traceNumber];
  return { values: numbers.find((values) => isVaried(values, count)), metres: false };
}

function isVaried(values: ArrayLike<number>, count: number): boolean {
  for (let i = 1; i < count; i++) if (values[i] !== values[0]) return true;
  return false;
}

/**
 * A trace joins the gather of its shot that is being filled, unless its place there is taken or the
 * gather is full: so shots may lie one behind the other or be interleaved, and numbers may repeat
 * from record to record.
 */
function gatherTraces(
  traces: TraceColumns,
  kind: SegyKind,
  { values }: Position,
  widths: readonly number[],
): Gather[] {
  const full = widths.length === 1 ? widths[0]! : values ? undefined : Math.max(0, ...widths);
  const keyed = kind === "records" || distinct(traces.fieldRecord, traces.count) < traces.count;
  const gathers: Gather[] = [];
  const open = new Map<string, Gather>();
  for (let i = 0; i < traces.count; i++) {
    const sourceX = kind === "records" ? traces.sourceX[i]! : 0;
    const key = keyed ? `${traces.fieldRecord[i]}/${sourceX}` : "";
    const place = values ? values[i]! : i;
    let gather = open.get(key);
    if (!gather || gather.positions.has(place) || (full && gather.traces.length === full)) {
      gather = { name: nameGather(traces, i, kind), sourceX, traces: [], positions: new Set() };
      gathers.push(gather);
      open.set(key, gather);
    }
    gather.traces.push(i);
    gather.positions.add(place);
  }
  return gathers;
}

function distinct(values: Int32Array, count: number): number {
  return new Set(values.subarray(0, count)).size;
}

function nameGather({ fieldRecord, sourceX }: TraceColumns, i: number, kind: SegyKind): string {
  const number = fieldRecord[i];
  return kind === "maps"
    ? `map of field record ${number}`
    : `shot of field record ${number}, source x ${metres(sourceX[i]!)}`;
}

function checkWidths(gathers: readonly Gather[], kind: SegyKind, widths: readonly number[]): void {
  const expected = widths.length > 0 ? widths : [gathers[0]!.traces.length];
  const first = gathers[0]!.traces.length;
  for (const { name, traces } of gathers) {
    if (expected.includes(traces.length) && traces.length === first) continue;
    const wanted = expected.includes(first) ? [first] : expected;
    const what = kind === "maps" ? "columns" : "receivers";
    throw new SegyError(
      "geometry",
      `${name}: expected ${wanted.join(" or ")} ${what}, got ${traces.length}`,
    );
  }
}

function sortByPosition(gather: Gather, { values }: Position): void {
  if (values) gather.traces.sort((a, b) => values[a]! - values[b]! || a - b);
}

/** Shots of a record, from left to right where their positions differ. */
function groupRecords(
  gathers: readonly Gather[],
  kind: SegyKind,
  shots: number | undefined,
): Gather[][] {
  if (kind === "maps") return gathers.map((gather) => [gather]);
  const records = shots === undefined ? untilRepeated(gathers) : inBlocks(gathers, shots);
  for (const record of records) {
    if (record.length !== records[0]!.length) {
      throw new SegyError(
        "geometry",
        `expected ${records[0]!.length} shots in every record, got ${record.length}`,
      );
    }
    record.sort((a, b) => a.sourceX - b.sourceX);
  }
  return records;
}

function inBlocks(gathers: readonly Gather[], shots: number): Gather[][] {
  if (gathers.length % shots !== 0) {
    const each = shots === 1 ? "1 shot" : `${shots} shots`;
    throw new SegyError(
      "geometry",
      `expected records of ${each} each, got ${gathers.length} shots`,
    );
  }
  return Array.from({ length: gathers.length / shots }, (_, i) =>
    gathers.slice(i * shots, (i + 1) * shots),
  );
}

function untilRepeated(gathers: readonly Gather[]): Gather[][] {
  if (gathers.every(({ sourceX }) => sourceX === gathers[0]!.sourceX)) return [[...gathers]];
  const records: Gather[][] = [];
  for (const gather of gathers) {
    const record = records.at(-1);
    if (!record || record.some(({ sourceX }) => sourceX === gather.sourceX)) records.push([gather]);
    else record.push(gather);
  }
  return records;
}

function positionsOf({ traces }: Gather, { values }: Position): number[] {
  return traces.map((trace) => values![trace]!);
}

/** Receivers stand still during a record. */
function checkStanding(records: readonly Gather[][], position: Position): void {
  for (const record of records) {
    const first = positionsOf(record[0]!, position);
    for (const gather of record) {
      const own = positionsOf(gather, position);
      const moved = own.findIndex((x, i) => Math.abs(x - first[i]!) > 0.5);
      if (moved < 0) continue;
      const from = `as in the first shot of the record, at ${metres(first[moved]!)}`;
      throw new SegyError(
        "geometry",
        `${gather.name}: expected receiver ${moved + 1} ${from}, got ${metres(own[moved]!)}`,
      );
    }
  }
}

/** Steps as the model's, and sources as far from the first receiver; where the line lies is free. */
function checkPlaces(
  records: readonly Gather[][],
  position: Position,
  { dxM, sourcesM, receiversM = [] }: LineSteps,
  hasSources: boolean,
): void {
  for (const record of records) {
    const places = positionsOf(record[0]!, position);
    const line = places.map((_, i) => i * dxM);
    const fitting = receiversM.filter((candidate) => candidate.length === places.length);
    const expected = fitting.length > 0 ? fitting : [line];
    const model = expected.find((candidate) => faultyStep(places, candidate) === undefined);
    if (!model) throw wrongStep(record[0]!, places, expected[0]!);
    if (sourcesM && hasSources) checkSources(record, places[0]! - model[0]!, sourcesM, dxM);
  }
}

/** Index of the first position whose distance from the one before is off by more than 1 %. */
function faultyStep(places: readonly number[], model: readonly number[]): number | undefined {
  for (let i = 1; i < places.length; i++) {
    const wanted = model[i]! - model[i - 1]!;
    const got = places[i]! - places[i - 1]!;
    if (Math.abs(got - wanted) > 0.01 * wanted + 0.005) return i;
  }
  return undefined;
}

function wrongStep({ name }: Gather, places: readonly number[], model: readonly number[]) {
  const i = faultyStep(places, model)!;
  const [from, to] = [places[i - 1]!, places[i]!];
  const expected = `expected traces ${i} and ${i + 1} ${metres(model[i]! - model[i - 1]!)} apart`;
  return new SegyError(
    "geometry",
    `${name}: ${expected}, got ${metres(to - from)} from x ${metres(from)} to ${metres(to)}`,
  );
}

function sourcePositions(records: readonly Gather[][]): number[] | undefined {
  const sources = records[0]!.map(({ sourceX }) => sourceX);
  return new Set(sources).size === sources.length ? sources : undefined;
}

/** Half a cell of the map is as near as modelling places them. `originM`: x of the model's 0. */
function checkSources(
  record: readonly Gather[],
  originM: number,
  sourcesM: readonly number[],
  dxM: number,
): void {
  for (const [shot, { name, sourceX }] of record.entries()) {
    const wanted = originM + sourcesM[shot]!;
    if (Math.abs(sourceX - wanted) <= dxM / 2 + 0.005) continue;
    throw new SegyError(
      "geometry",
      `${name}: expected source ${shot + 1} of the record at x ${metres(wanted)}`,
    );
  }
}

function placesOf(record: readonly Gather[], { place }: TraceColumns): Int32Array {
  return Int32Array.from(record.flatMap(({ traces }) => traces.map((trace) => place[trace]!)));
}

function layoutNotes(
  kind: SegyKind,
  { values, metres: isPlaced }: Position,
  sourcesM: readonly number[] | undefined,
): string[] {
  const notes: string[] = [];
  if (!isPlaced) {
    const order = values ? "trace numbers" : "the file's order";
    notes.push(`no ${kind === "maps" ? "column" : "receiver"} positions: ${order} taken instead`);
  }
  if (kind === "records" && !sourcesM)
    notes.push("no source positions: the file's order taken instead");
  return notes;
}

/** `690 m`, `12.5 m` */
function metres(value: number): string {
  return `${Number(value.toFixed(3))} m`;
}
