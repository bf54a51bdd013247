/** The thread of a CommitThread: a batch of journal entries in, their outcomes out. */
import { parentPort, workerData } from "node:worker_threads";
import { Committer } from "./committer.ts";

const committer = new Committer(workerData as string);

parentPort?.on("message", async (batch: readonly Uint8Array[] | "retire") => {
  if (batch === "retire") await committer.retire();
  parentPort?.postMessage(batch === "retire" ? [] : committer.commit(batch));
});
