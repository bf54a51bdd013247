/** Worker thread of `epic infer` and `epic eval`: one record in, one map out. */
import { parentPort, workerData } from "node:worker_threads";
import { Inference, type InferenceSetup } from "./inference.ts";
import { type InferenceReply, InferenceRunner, type InferenceTask } from "./inferencePool.ts";
import type { WorkerReply } from "./workerPool.ts";

const runner = Inference.load(workerData as InferenceSetup).then(
  (inference) => new InferenceRunner(inference),
);
// A failure to load is the answer to the first task, not a crash.
runner.catch(() => {});

parentPort?.on("message", async (task: InferenceTask) => {
  const answer: WorkerReply<InferenceReply> = await runner
    .then((ready) => ready.run(task))
    .then(
      (reply) => ({ reply }),
      (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }),
    );
  parentPort?.postMessage(answer);
});
