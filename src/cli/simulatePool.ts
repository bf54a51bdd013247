/** Runs simulation tasks in this thread or in several worker threads, in no fixed order. */
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { type SimulateSetup, type SimulateTask, Simulator } from "./simulator.ts";

/** What a worker answers to one task. */
export interface SimulateReply {
  readonly error?: string;
}

/** Anything that runs one task at a time. */
interface Lane {
  run(task: SimulateTask): Promise<void>;
  close(): Promise<void>;
}

/** Some lanes that share a queue of tasks. */
export class SimulatePool {
  readonly #lanes: readonly Lane[];

  /** One thread means this one: no worker is started. */
  static async start(setup: SimulateSetup, threads: number): Promise<SimulatePool> {
    if (threads === 1) return new SimulatePool([await startLocal(setup)]);
    return new SimulatePool(Array.from({ length: threads }, () => startWorker(setup)));
  }

  private constructor(lanes: readonly Lane[]) {
    this.#lanes = lanes;
  }

  /**
   * Runs every task once and calls `onDone` after each. Rejects with the first failure, or with the
   * signal's reason; tasks under way are then finished or cut off by `close`.
   */
  async run(
    tasks: AsyncIterable<SimulateTask>,
    onDone: () => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const queue = tasks[Symbol.asyncIterator]();
    let failed = false;
    const work = async (lane: Lane) => {
      while (!failed) {
        signal?.throwIfAborted();
        const { value, done } = await queue.next();
        if (done) return;
        await lane.run(value);
        onDone();
      }
    };
    await Promise.all(
      this.#lanes.map((lane) =>
        work(lane).catch((error: unknown) => {
          failed = true;
          throw error;
        }),
      ),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }
}

async function startLocal(setup: SimulateSetup): Promise<Lane> {
  const simulator = await Simulator.load(setup);
  return {
    async run(task) {
      simulator.run(task);
      // Lets signals and the progress bar in between two records.
      await new Promise((resolve) => setImmediate(resolve));
    },
    async close() {
      simulator.dispose();
    },
  };
}

function startWorker(setup: SimulateSetup): Lane {
  const file = `./simulateWorker${extname(import.meta.url)}`;
  const worker = new Worker(new URL(file, import.meta.url), { workerData: setup });
  // A worker that dies between two tasks is reported by the next one.
  let death: Error | undefined;
  worker.on("error", (error) => {
    death = error;
  });
  return {
    run: (task) =>
      new Promise<void>((resolve, reject) => {
        if (death) return reject(death);
        const settle = (reply?: SimulateReply) => {
          worker.off("message", settle).off("error", reject).off("exit", stopped);
          if (reply?.error === undefined) resolve();
          else reject(new Error(reply.error));
        };
        const stopped = (code: number) => reject(new Error(`worker: stopped with code ${code}`));
        worker.on("message", settle).on("error", reject).on("exit", stopped);
        worker.postMessage(task);
      }),
    async close() {
      await worker.terminate();
    },
  };
}
