/** Inference over the records of a file, scored when the true maps are known. */

import type { WorkerPool } from "../batch/workerPool.ts";
import { lineSteps } from "../io/lineSteps.ts";
import { seismicExpectation, velocityExpectation } from "../io/npy.ts";
import type { RecordFile } from "../io/recordFile.ts";
import type { MapScore } from "../metrics/index.ts";
import type { ModelConfig } from "../model/config.ts";
import { openInput } from "./openInput.ts";
import type { InferExtras, InferReply, InferTask } from "./runners.ts";
import { ScoreSum, type SetScore } from "./scores.ts";

/** Records and, if known, their true maps. Close it. */
export interface RecordFiles {
  readonly data: RecordFile;
  readonly truth: RecordFile | undefined;
  close(): Promise<void>;
}

export interface RecordResult {
  readonly record: number;
  /** [rows][columns], m/s. */
  readonly map: Float32Array;
  readonly score: MapScore | undefined;
  /** Time of each device's encoding, ms. */
  readonly msEncode: readonly number[];
  readonly msDecode: number;
  readonly trust: InferReply["trust"];
}

export interface FileResult {
  /** In the file's order. */
  readonly records: readonly RecordResult[];
  readonly score: SetScore | undefined;
}

/** Opens both files and checks that they belong together. Throws NpyError or Error. */
export async function openRecordFiles(
  dataPath: string,
  truthPath: string | undefined,
  { geometry }: ModelConfig,
): Promise<RecordFiles> {
  const data = await openInput(dataPath, seismicExpectation(geometry, lineSteps(geometry)));
  let truth: RecordFile | undefined;
  const close = async () => {
    await data.close();
    await truth?.close();
  };
  try {
    if (truthPath !== undefined) {
      truth = await openInput(truthPath, velocityExpectation(geometry.map, geometry.dxM));
      if (truth.count !== data.count) {
        throw new Error(`${truthPath}: expected ${data.count} maps, got ${truth.count}`);
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { data, truth, close };
}

/** Runs the first `count` records, in the pool's order of completion. */
export async function inferFiles(
  pool: WorkerPool<InferTask, InferReply>,
  files: RecordFiles,
  rows: number,
  count: number,
  onRecord: () => void,
  extras: InferExtras = {},
): Promise<FileResult> {
  const records: RecordResult[] = [];
  // Scores are summed in the file's order, so that they do not depend on the threads.
  const truths: (Float32Array | undefined)[] = [];
  await pool.run(readTasks(files.data, count, extras), async (reply, { index }) => {
    const { map, msEncode, msDecode, trust } = reply;
    truths[index] = await files.truth?.read(index);
    records[index] = { record: index, map, score: undefined, msEncode, msDecode, trust };
    onRecord();
  });
  const sum = new ScoreSum();
  const scored = records.map((result, i) => {
    const truth = truths[i];
    return truth ? { ...result, score: sum.add(result.map, truth, rows) } : result;
  });
  return { records: scored, score: sum.result() };
}

/** The first `count` records as tasks. */
export async function* readTasks(
  data: RecordFile,
  count: number,
  extras: InferExtras,
): AsyncGenerator<InferTask> {
  for (let index = 0; index < count; index++) {
    yield { ...extras, index, record: await data.read(index) };
  }
}
