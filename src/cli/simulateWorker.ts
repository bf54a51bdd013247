/** Worker thread of `epic simulate`: one task in, one reply out. */
import { parentPort, workerData } from "node:worker_threads";
import type { WorkerReply } from "../batch/workerPool.ts";
import { type SimulateSetup, type SimulateTask, Simulator } from "./simulator.ts";

const ready = Simulator.load(workerData as SimulateSetup);

parentPort?.on("message", async (task: SimulateTask) => {
  const answer: WorkerReply<null> = await ready
    .then((simulator) => simulator.run(task))
    .then(
      () => ({ reply: null }),
      (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }),
    );
  parentPort?.postMessage(answer);
});
