/** Tasks over several lanes: this thread, or worker threads with private memories. */
import { Worker } from "node:worker_threads";

/** Something that runs one task at a time. */
export interface Lane<Task, Reply> {
  run(task: Task): Promise<Reply>;
  close(): Promise<void>;
}

/** What a worker posts back. */
export type WorkerReply<Reply> = { readonly reply: Reply } | { readonly error: string };

/** Some lanes that share a queue of tasks. */
export class WorkerPool<Task, Reply> {
  readonly #lanes: readonly Lane<Task, Reply>[];

  constructor(lanes: readonly Lane<Task, Reply>[]) {
    this.#lanes = lanes;
  }

  /**
   * Runs every task once and hands each reply to `onReply`, in the order of completion.
   * `tasks` is asked for a task only when a lane is free. Rejects with the first failure; no new
   * task starts after it.
   */
  async run(
    tasks: AsyncIterable<Task>,
    onReply: (reply: Reply, task: Task) => void | Promise<void>,
  ): Promise<void> {
    const queue = tasks[Symbol.asyncIterator]();
    let failed = false;
    const work = async (lane: Lane<Task, Reply>): Promise<void> => {
      while (!failed) {
        const next = await queue.next();
        if (next.done) return;
        await onReply(await lane.run(next.value), next.value);
      }
    };
    const results = this.#lanes.map((lane) =>
      work(lane).catch((error: unknown) => {
        failed = true;
        throw error;
      }),
    );
    await Promise.all(results);
  }

  async close(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }
}

/** A lane in a worker thread that answers each message with a `WorkerReply`. */
export function startWorkerLane<Task, Reply>(file: URL, setup: unknown): Lane<Task, Reply> {
  const worker = new Worker(file, { workerData: setup });
  // A worker that dies between two tasks is reported by the next one.
  let death: Error | undefined;
  worker.on("error", (error) => {
    death = error;
  });
  return {
    run: (task) =>
      new Promise((resolve, reject) => {
        if (death) return reject(death);
        const settle = (answer: WorkerReply<Reply>) => {
          worker.off("message", settle).off("error", reject).off("exit", stopped);
          if ("reply" in answer) resolve(answer.reply);
          else reject(new Error(answer.error));
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
