/**
 * Data sets in OpenFWI's layout: `data1.npy` (N, shots, samples, receivers) and `model1.npy`
 * (N, 1, rows, columns), up to 500 records per pair. `simulate.json` states what they were made from; a run with the same
 * options continues where an earlier one stopped. Files appear whole or not at all.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { type Lane, startWorkerLane, WorkerPool } from "../batch/workerPool.ts";
import { makeFolder, writeFileAtomic } from "../io/atomic.ts";
import { npyHeader, velocityExpectation } from "../io/npy.ts";
import type { RecordFile } from "../io/recordFile.ts";
import { splitArrayName } from "../io/records.ts";
import type { FamilyName } from "../physics/families/index.ts";
import {
  type Boundary,
  OPENFWI_SURVEY,
  PHYSICS_REVISION,
  type Region,
  type SurveyGeometry,
} from "../physics/index.ts";
import { type NpyDraft, startNpyDraft } from "./npyDraft.ts";
import { openInput } from "./openInput.ts";
import { type SimulateSetup, type SimulateTask, Simulator } from "./simulator.ts";

/** Where the maps come from: a family of this product, or a file of any. */
export type MapSource =
  | { readonly family: FamilyName; readonly seed: number; readonly count: number }
  | { readonly maps: string; readonly count?: number };

export interface SimulateOptions {
  readonly source: MapSource;
  /** Folder; made when missing. */
  readonly out: string;
  readonly boundary: Boundary;
  /** Default: as `ForwardOptions`. */
  readonly region?: Region;
  /** Default `OPENFWI_SURVEY`. */
  readonly survey?: SurveyGeometry;
  /** Index of the first map. Default 0. */
  readonly startIndex?: number;
  /** Default 1, which is this thread. */
  readonly threads?: number;
  /** Default 500, as in OpenFWI. */
  readonly recordsPerFile?: number;
  /** Called once the number of records to model is known, and after each of them. */
  readonly onStart?: (records: number) => void;
  readonly onRecord?: () => void;
  /** Stops the run; the file under way leaves nothing behind. */
  readonly signal?: AbortSignal;
}

export interface SimulateResult {
  readonly records: number;
  /** Records in files that an earlier run had finished. */
  readonly skipped: number;
  /** The data files, in order; each has its model file. */
  readonly files: readonly string[];
}

/** One pair of files. */
interface FilePair {
  readonly data: string;
  readonly model: string;
  /** Index of its first map. */
  readonly first: number;
  readonly count: number;
}

/** Shapes of one record and one map in the files. */
interface Shapes {
  readonly data: readonly number[];
  readonly model: readonly number[];
}

function shapesOf({ rows, columns, samples, sources, receivers }: SurveyGeometry): Shapes {
  return { data: [sources.length, samples, receivers.length], model: [1, rows, columns] };
}

/**
 * Writes the data set. Throws RangeError for options or maps that cannot be, NpyError for a bad file
 * of maps, Error when the folder holds data made from something else.
 */
export async function simulateFiles(options: SimulateOptions): Promise<SimulateResult> {
  const survey = options.survey ?? OPENFWI_SURVEY;
  const shapes = shapesOf(survey);
  const maps = "maps" in options.source ? await openMaps(options.source.maps, survey) : undefined;
  try {
    const pairs = planFiles(options, maps);
    await makeFolder(options.out);
    await claimFolder(options.out, await describeSource(options));
    const missing: FilePair[] = [];
    for (const pair of pairs) if (!(await isFinished(pair, shapes))) missing.push(pair);
    const count = (list: readonly FilePair[]) => list.reduce((sum, pair) => sum + pair.count, 0);
    options.onStart?.(count(missing));
    if (missing.length > 0) await makeFiles(missing, options, maps);
    return {
      records: count(pairs),
      skipped: count(pairs) - count(missing),
      files: pairs.map((pair) => pair.data),
    };
  } finally {
    await maps?.close();
  }
}

function openMaps(path: string, { rows, columns, spacingM }: SurveyGeometry): Promise<RecordFile> {
  return openInput(path, velocityExpectation([rows, columns], spacingM));
}

/** Which maps go into which files. */
function planFiles(options: SimulateOptions, maps: RecordFile | undefined): FilePair[] {
  const start = options.startIndex ?? 0;
  const available = maps ? maps.count - start : Number.MAX_SAFE_INTEGER - start;
  const count = options.source.count ?? available;
  if (!Number.isSafeInteger(count) || count < 1 || count > available) {
    const limit = maps ? `1 to ${available} (${maps.count} maps in the file)` : "at least 1";
    throw new RangeError(`maps: expected ${limit} from index ${start}, got ${count}`);
  }
  const perFile = options.recordsPerFile ?? 500;
  return Array.from({ length: Math.ceil(count / perFile) }, (_, i) => ({
    data: join(options.out, `data${i + 1}.npy`),
    model: join(options.out, `model${i + 1}.npy`),
    first: start + i * perFile,
    count: Math.min(perFile, count - i * perFile),
  }));
}

type Description = Readonly<Record<string, string | number | SurveyGeometry>>;

/** Everything that decides the bytes of the files, except how many there are. */
async function describeSource(options: SimulateOptions): Promise<Description> {
  const { source, survey } = options;
  return {
    ...("maps" in source
      ? { mapsSha256: await sha256(source.maps) }
      : { family: source.family, seed: source.seed }),
    startIndex: options.startIndex ?? 0,
    boundary: options.boundary,
    ...(options.region && { region: options.region }),
    recordsPerFile: options.recordsPerFile ?? 500,
    physicsRevision: PHYSICS_REVISION,
    ...(survey && !isOpenFwi(survey) && { survey }),
  };
}

/** OpenFWI's survey goes without saying. */
function isOpenFwi(survey: SurveyGeometry): boolean {
  return JSON.stringify(survey) === JSON.stringify(OPENFWI_SURVEY);
}

async function sha256(path: string): Promise<string> {
  const { file, array } = splitArrayName(path);
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  if (array !== undefined) hash.update(array);
  return hash.digest("hex");
}

/** Writes `simulate.json`, or checks that the one there says the same. */
async function claimFolder(folder: string, description: Description): Promise<void> {
  const path = join(folder, "simulate.json");
  const text = `${JSON.stringify(description, null, 2)}\n`;
  const found = await readFile(path, "utf8").catch(() => undefined);
  if (found === text) return;
  if (found !== undefined) {
    throw new Error(`${path}: expected a run with the same options, got ${oneLine(found)}`);
  }
  const foreign = (await readdir(folder)).find((name) => /^(data|model)\d+\.npy$/.test(name));
  if (foreign !== undefined) {
    throw new Error(`${folder}: expected no data without simulate.json, got ${foreign}`);
  }
  await writeFileAtomic(path, text);
}

function oneLine(json: string): string {
  return json.trim().replace(/\s+/g, " ");
}

async function isFinished({ data, model, count }: FilePair, shapes: Shapes): Promise<boolean> {
  return (
    (await fileBytes(data)) === npyBytes([count, ...shapes.data]) &&
    (await fileBytes(model)) === npyBytes([count, ...shapes.model])
  );
}

async function fileBytes(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}

function npyBytes(shape: readonly number[]): number {
  return npyHeader(shape).length + 4 * product(shape);
}

function product(shape: readonly number[]): number {
  return shape.reduce((result, length) => result * length, 1);
}

async function makeFiles(
  pairs: readonly FilePair[],
  options: SimulateOptions,
  maps: RecordFile | undefined,
): Promise<void> {
  const { source, boundary, region, survey = OPENFWI_SURVEY } = options;
  const physics = { boundary, survey, ...(region && { region }) };
  const setup = "maps" in source ? physics : { ...physics, ...source };
  const most = Math.max(...pairs.map((pair) => pair.count));
  const pool = await startPool(setup, Math.min(options.threads ?? 1, most));
  try {
    for (const pair of pairs) await makePair(pair, pool, options, maps);
  } finally {
    await pool.close();
  }
}

type Pool = WorkerPool<SimulateTask, null>;

/** One thread means this one: no worker is started. */
async function startPool(setup: SimulateSetup, threads: number): Promise<Pool> {
  if (threads === 1) return new WorkerPool([await startLocalLane(setup)]);
  const file = new URL(`./simulateWorker${extname(import.meta.url)}`, import.meta.url);
  return new WorkerPool(Array.from({ length: threads }, () => startWorkerLane(file, setup)));
}

async function startLocalLane(setup: SimulateSetup): Promise<Lane<SimulateTask, null>> {
  const simulator = await Simulator.load(setup);
  return {
    async run(task) {
      simulator.run(task);
      // Lets signals and the progress bar in between two records.
      await new Promise((resolve) => setImmediate(resolve));
      return null;
    },
    async close() {
      simulator.dispose();
    },
  };
}

/** Fills two temporary files and renames them; removes them on any failure. */
async function makePair(
  pair: FilePair,
  pool: Pool,
  { signal, onRecord, survey = OPENFWI_SURVEY }: SimulateOptions,
  maps: RecordFile | undefined,
): Promise<void> {
  const drafts: NpyDraft[] = [];
  const start = async (path: string, shape: readonly number[]) => {
    const draft = await startNpyDraft(path, [pair.count, ...shape]);
    drafts.push(draft);
    return draft;
  };
  try {
    const shapes = shapesOf(survey);
    const data = await start(pair.data, shapes.data);
    const model = await start(pair.model, shapes.model);
    const tasks = makeTasks(pair, data, model, shapes, maps, signal);
    await pool.run(tasks, () => onRecord?.());
    await data.finish();
    await model.finish();
  } catch (error) {
    // Workers may still be writing: stop them before the descriptors are closed and reused.
    await pool.close();
    for (const draft of drafts) await draft.discard();
    throw error;
  }
}

async function* makeTasks(
  pair: FilePair,
  data: NpyDraft,
  model: NpyDraft,
  shapes: Shapes,
  maps: RecordFile | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<SimulateTask> {
  for (let i = 0; i < pair.count; i++) {
    if (signal?.aborted) throw new Error("simulate: interrupted; finished files are kept");
    const index = pair.first + i;
    const map = await maps?.read(index);
    yield {
      index,
      ...(map && { map }),
      dataFile: data.descriptor,
      dataOffset: data.headerBytes + i * 4 * product(shapes.data),
      modelFile: model.descriptor,
      modelOffset: model.headerBytes + i * 4 * product(shapes.model),
    };
  }
}
