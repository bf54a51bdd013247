/** The same runner in this thread or in several; the bits do not depend on how many. */
import { extname } from "node:path";
import { type Lane, startWorkerLane, WorkerPool } from "../batch/workerPool.ts";
import { hasWideVectors } from "../engine/wideVectors.ts";
import {
  DecodeRunner,
  EncodeRunner,
  InferRunner,
  type ModelSetup,
  type Runner,
} from "./runners.ts";

export const runnerLoaders = {
  encode: EncodeRunner.load,
  decode: DecodeRunner.load,
  infer: InferRunner.load,
} as const;

export type Job = keyof typeof runnerLoaders;

/** What a worker thread is started with. */
export interface WorkerSetup {
  readonly job: Job;
  readonly model: ModelSetup;
  /** `hasWideVectors()` of the thread that starts the worker. */
  readonly wide: boolean;
}

/**
 * Lanes for `job`. One thread means this one and `local` does the work; more are workers that load
 * the model themselves. Closing the pool leaves `local` in use.
 */
export function startRunnerPool<Task, Reply>(
  job: Job,
  local: Runner<Task, Reply>,
  { model, module }: ModelSetup,
  threads: number,
): WorkerPool<Task, Reply> {
  if (threads === 1) return new WorkerPool([localLane(local)]);
  const file = new URL(`./runnerWorker${extname(import.meta.url)}`, import.meta.url);
  const setup: WorkerSetup = {
    job,
    model: { ...(model && { model }), ...(module && { module }) },
    wide: hasWideVectors(),
  };
  return new WorkerPool(
    Array.from({ length: threads }, () => startWorkerLane<Task, Reply>(file, setup)),
  );
}

function localLane<Task, Reply>(runner: Runner<Task, Reply>): Lane<Task, Reply> {
  return {
    async run(task) {
      const reply = await runner.run(task);
      // Lets signals and the progress bar in between two tasks.
      await new Promise((resolve) => setImmediate(resolve));
      return reply;
    },
    async close() {},
  };
}
