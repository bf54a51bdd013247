/** Worker thread of a runner pool: one task in, one reply out. */
import { parentPort, workerData } from "node:worker_threads";
import type { WorkerReply } from "../batch/workerPool.ts";
import { expectWideVectors } from "../engine/wideVectors.ts";
import { runnerLoaders, type WorkerSetup } from "./runnerPool.ts";
import type { Runner } from "./runners.ts";

const { job, model, wide } = workerData as WorkerSetup;
if (wide) expectWideVectors();
const loading: Promise<Runner<unknown, unknown>> = runnerLoaders[job](model) as Promise<
  Runner<unknown, unknown>
>;
// A failure to load is the answer to the first task, not a crash.
loading.catch(() => {});

parentPort?.on("message", async (task: unknown) => {
  const answer: WorkerReply<unknown> = await loading
    .then((runner) => runner.run(task))
    .then(
      (reply) => ({ reply }),
      (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }),
    );
  parentPort?.postMessage(answer);
});
