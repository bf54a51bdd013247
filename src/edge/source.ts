import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { lineSteps } from "../io/lineSteps.ts";
import type { NpyExpectation } from "../io/npy.ts";
import type { RecordFile } from "../io/recordFile.ts";
import { openRecords, withoutRecordEnding } from "../io/records.ts";
import type { DeviceBlock, Geometry } from "../model/config.ts";
import type { Loss } from "./gapLedger.ts";
import type { FileMark, Outbox } from "./outbox.ts";
import { selectReceivers } from "./receivers.ts";

export interface SourceOptions {
  /** Folder in which records appear, in any format that io/records reads. */
  folder: string;
  geometry: Geometry;
  /** Which of the geometry's devices this is. */
  device: number;
  /** Model whose latents are made of the records: names a loss. */
  modelId: string;
  /** A file that cannot be read is given up when it has not changed for this long. Default 2 s. */
  settleMs?: number;
  /** Milliseconds on a steady clock: file times are the wall clock's, which may jump. */
  now: () => number;
  onProblem?: (message: string) => void;
}

/** A file that is wholly taken is looked at again only so often: a folder may hold a year of them. */
const RECHECK_SCANS = 60;

/** One record of a source file, with the mark that says it has been taken. */
export interface SourceRecord {
  record: bigint;
  /** Shots x samples x the device's receivers; valid until the next record is asked for. */
  traces: Float32Array;
  /** The file's modification time, ns since 1970: the nearest thing to an acquisition time. */
  acquiredNs: bigint;
  name: string;
  mark: FileMark;
}

/**
 * Finds records in a folder. A file holds the device's own receivers or all of them, one record
 * (shots, samples, receivers) or many (N, ...). Record id = last run of digits in its name + index.
 * Files should be renamed into place whole; one that is still growing is tried again.
 */
export class RecordSource {
  readonly #options: Required<SourceOptions>;
  readonly #block: DeviceBlock;
  readonly #own: Float32Array;
  readonly #all: Float32Array;
  readonly #told = new Set<string>();
  #scans = 0;
  /** Files that could not be read yet: as they are, and since when. */
  readonly #unread = new Map<string, { size: number; mtimeMs: number; sinceMs: number }>();

  constructor(options: SourceOptions) {
    this.#options = { settleMs: 2000, onProblem: () => {}, ...options };
    const { shots, samples, receivers, devices } = options.geometry;
    this.#block = devices[options.device]!;
    this.#own = new Float32Array(shots * samples * this.#block.receivers);
    this.#all = new Float32Array(shots * samples * receivers);
  }

  /** True when the last scan left files that may still become readable. */
  get unsettled(): boolean {
    return this.#unread.size > 0;
  }

  /** Records not taken yet, by file name and index. The consumer stores each before the next. */
  async *records(outbox: Outbox): AsyncGenerator<SourceRecord> {
    const present = new Set((await readdir(this.#options.folder)).filter(isRecordFile));
    await outbox.forgetFilesExcept(present);
    for (const name of this.#unread.keys()) if (!present.has(name)) this.#unread.delete(name);
    const everything = this.#scans++ % RECHECK_SCANS === 0;
    const names = [...present].filter((name) => everything || !isTaken(outbox.fileMark(name)));
    for (const name of names.sort(byDigits)) yield* this.#file(name, outbox);
  }

  async *#file(name: string, outbox: Outbox): AsyncGenerator<SourceRecord> {
    const path = join(this.#options.folder, name);
    const status = await stat(path, { bigint: true }).catch(() => undefined);
    if (status === undefined) return; // removed since the folder was read
    const id = { size: Number(status.size), mtimeMs: Number(status.mtimeMs) };
    const known = outbox.fileMark(name);
    if (known !== undefined && (known.size !== id.size || known.mtimeMs !== id.mtimeMs)) {
      // A file that was refused may be replaced by a good one; one whose records are under way
      // may not: two recordings would share their record ids.
      if (known.refused === undefined) {
        this.#tellOnce(name, "changed after it was taken: expected a new name, got new contents");
        return;
      }
    } else if (known !== undefined && (known.refused || known.done === known.count)) {
      return;
    }
    const start = known?.refused === undefined ? known?.done : undefined;
    try {
      yield* this.#open(name, path, id, start ?? 0, status.mtimeNs, outbox);
      this.#unread.delete(name);
    } catch (error) {
      if (!(error instanceof FileProblem)) throw error;
      if (!this.#hasSettled(name, id)) return;
      this.#tellOnce(name, error.message);
      const first = firstRecord(name);
      const refused = error.message;
      const mark = { ...id, first: `${first ?? 0n}`, count: 0, done: 0, refused };
      await outbox.refuseFile(name, mark, this.#lossOf(first));
      this.#unread.delete(name);
    }
  }

  #lossOf(record: bigint | undefined): Loss | undefined {
    const { modelId } = this.#options;
    return record === undefined ? undefined : { record, modelId, reason: "bad-source" };
  }

  /** True when a file that cannot be read has not changed for a while. */
  #hasSettled(name: string, id: { size: number; mtimeMs: number }): boolean {
    const now = this.#options.now();
    const seen = this.#unread.get(name);
    if (seen?.size === id.size && seen.mtimeMs === id.mtimeMs) {
      return now - seen.sinceMs >= this.#options.settleMs;
    }
    this.#unread.set(name, { ...id, sinceMs: now });
    return false;
  }

  async *#open(
    name: string,
    path: string,
    id: { size: number; mtimeMs: number },
    start: number,
    acquiredNs: bigint,
    outbox: Outbox,
  ): AsyncGenerator<SourceRecord> {
    const first = firstRecord(name);
    if (first === undefined)
      throw new FileProblem("expected a record number in the name, got none");
    const file = await asProblem(path, openRecords(path, this.#expectation()));
    try {
      const conversions = file.conversions.join(", ");
      if (conversions) this.#tellOnce(name, `read as float32 in C order from ${conversions}`);
      const mark = { ...id, first: `${first}`, count: file.count, done: start };
      checkOverlap(name, mark, outbox.fileMarks());
      for (let index = start; index < file.count; index++) {
        const traces = await asProblem(path, this.#read(file, index));
        const record = first + BigInt(index);
        yield { record, traces, acquiredNs, name, mark: { ...mark, done: index + 1 } };
      }
    } finally {
      await file.close();
    }
  }

  async #read(file: RecordFile, index: number): Promise<Float32Array> {
    if (file.recordLength === this.#own.length) return file.read(index, this.#own);
    await file.read(index, this.#all);
    return selectReceivers(this.#all, this.#options.geometry.receivers, this.#block, this.#own);
  }

  #expectation(): NpyExpectation {
    const { shots, samples, receivers } = this.#options.geometry;
    const shapes = [this.#block.receivers, receivers].flatMap((width) => {
      const record = [
        { name: "shot", length: shots },
        { name: "sample", length: samples },
        { name: "receiver", length: width },
      ];
      return [record, [{ name: "record", length: "N" as const }, ...record]];
    });
    const steps = lineSteps(this.#options.geometry, this.#block);
    return { what: "seismic data", steps, shapes };
  }

  #tellOnce(name: string, problem: string): void {
    const line = `${name}: ${problem}`;
    if (this.#told.has(line)) return;
    this.#told.add(line);
    this.#options.onProblem(line);
  }
}

/** A source file that cannot be taken as it is. */
class FileProblem extends Error {}

async function asProblem<T>(path: string, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    const message = (error as Error).message;
    throw new FileProblem(
      message.startsWith(`${path}:`) ? message.slice(path.length + 1).trimStart() : message,
    );
  }
}

/** Two files must not claim one record id: central would take the second for a duplicate. */
function checkOverlap(name: string, mark: FileMark, others: ReadonlyMap<string, FileMark>): void {
  const first = BigInt(mark.first);
  const end = first + BigInt(mark.count);
  for (const [other, { first: otherFirst, count }] of others) {
    const from = BigInt(otherFirst);
    if (other !== name && first < from + BigInt(count) && from < end) {
      const range = `${first} to ${end - 1n}`;
      throw new FileProblem(`expected record ids of its own, got ${range} that ${other} has too`);
    }
  }
}

function isTaken(mark: FileMark | undefined): boolean {
  return mark !== undefined && mark.refused === undefined && mark.done === mark.count;
}

/** Hidden files are left alone: writers use them for what is not finished. */
function isRecordFile(name: string): boolean {
  return withoutRecordEnding(name) !== undefined && !name.startsWith(".");
}

/** The last run of digits in a file name; undefined when there is none or it exceeds 64 bits. */
export function firstRecord(name: string): bigint | undefined {
  const digits = (withoutRecordEnding(name) ?? name).match(/\d+/g)?.at(-1);
  if (digits === undefined || digits.length > 20) return undefined;
  const id = BigInt(digits);
  return id < 2n ** 63n ? id : undefined;
}

function byDigits(a: string, b: string): number {
  const [first, second] = [firstRecord(a) ?? -1n, firstRecord(b) ?? -1n];
  if (first !== second) return first < second ? -1 : 1;
  return a < b ? -1 : 1;
}
