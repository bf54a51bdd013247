/** Inference over many records, in this thread or in several. The bits do not depend on it. */
import { extname } from "node:path";
import { type FamilyName, velocityMap } from "../physics/families/index.ts";
import { type Boundary, ForwardModeller } from "../physics/index.ts";
import type { Inference, InferenceResult, InferenceSetup } from "./inference.ts";
import { type Lane, startWorkerLane, WorkerPool } from "./workerPool.ts";

/** One record: its traces, or a map to model first. */
export type InferenceTask = RecordTask | FamilyTask;

export interface RecordTask {
  readonly index: number;
  /** [shots][samples][receivers] */
  readonly record: Float32Array;
}

export interface FamilyTask {
  readonly index: number;
  readonly family: FamilyName;
  readonly seed: number;
  readonly boundary: Boundary;
}

export interface InferenceReply extends InferenceResult {
  /** The family's map, m/s, for a FamilyTask. */
  readonly truth?: Float32Array;
}

export type InferencePool = WorkerPool<InferenceTask, InferenceReply>;

/** One thread means this one, and `local` then does the work. */
export function startInferencePool(
  local: Inference,
  setup: InferenceSetup,
  threads: number,
): InferencePool {
  const file = new URL(`./inferenceWorker${extname(import.meta.url)}`, import.meta.url);
  const lanes: Lane<InferenceTask, InferenceReply>[] =
    threads === 1
      ? [localLane(local)]
      : Array.from({ length: threads }, () => startWorkerLane(file, setup));
  return new WorkerPool(lanes);
}

/** What one thread holds: a model and, once a family is asked for, a modeller. */
export class InferenceRunner {
  readonly #inference: Inference;
  #modeller: ForwardModeller | undefined;

  constructor(inference: Inference) {
    this.#inference = inference;
  }

  async run(task: InferenceTask): Promise<InferenceReply> {
    if ("record" in task) return this.#inference.run(task.record);
    const truth = velocityMap(task.family, task.seed, task.index);
    const modeller = await this.#modellerFor(task.boundary);
    return { ...this.#inference.run(modeller.model(truth)), truth };
  }

  async #modellerFor(boundary: Boundary): Promise<ForwardModeller> {
    if (this.#modeller?.boundary !== boundary) {
      this.#modeller?.dispose();
      this.#modeller = await ForwardModeller.load({ boundary });
    }
    return this.#modeller;
  }
}

function localLane(inference: Inference): Lane<InferenceTask, InferenceReply> {
  const runner = new InferenceRunner(inference);
  return {
    async run(task) {
      const reply = await runner.run(task);
      // Lets signals and the progress bar in between two records.
      await new Promise((resolve) => setImmediate(resolve));
      return reply;
    },
    async close() {},
  };
}
