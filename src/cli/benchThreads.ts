/** Throughput of the whole network over worker threads. */

import type { WorkerPool } from "../batch/workerPool.ts";
import type { BenchResult } from "../testbed/bench/benchKernels.ts";
import { median, type TimingOptions } from "../testbed/bench/timing.ts";
import type { ComputeOptions } from "./common.ts";
import { startRunnerPool } from "./runnerPool.ts";
import { type InferReply, InferRunner, type InferTask } from "./runners.ts";

/** A round must be long against the start and the end, when not all workers are busy. */
const roundMsMin = 500;

/** `full xN`: wall time per record while N workers are kept busy. */
export async function benchThreads(
  options: ComputeOptions,
  { rounds, taskMs }: TimingOptions,
): Promise<BenchResult> {
  const runner = await InferRunner.load(options);
  const pool = startRunnerPool("infer", runner, options, options.threads);
  try {
    const { encoder } = runner.encode;
    const { shots, samples, receivers, devices } = encoder.config.geometry;
    const record = Float32Array.from({ length: shots * samples * receivers }, (_, i) =>
      Math.sin(i),
    );
    await runFor(pool, record, roundMsMin); // workers load and warm up
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      times.push(await runFor(pool, record, Math.max(roundMsMin, taskMs)));
    }
    const stages = [...devices.flatMap(() => encoder.stages), ...runner.decode.decoder.stages];
    const macs = stages.reduce((sum, stage) => sum + stage.macs, 0);
    const medianMs = median(times);
    return {
      name: `full x${options.threads}`,
      kernel: "stage",
      module: encoder.module,
      medianMs,
      bestMs: Math.min(...times),
      spread: (Math.max(...times) - Math.min(...times)) / medianMs,
      macs,
      gmacs: macs / medianMs / 1e6,
      peakShare: null,
    };
  } finally {
    await pool.close();
    runner.dispose();
  }
}

/** Keeps the workers busy for `ms`; returns the wall time per record. */
async function runFor(
  pool: WorkerPool<InferTask, InferReply>,
  record: Float32Array,
  ms: number,
): Promise<number> {
  const start = performance.now();
  let count = 0;
  async function* tasks(): AsyncGenerator<InferTask> {
    while (performance.now() - start < ms) yield { index: count++, record };
  }
  await pool.run(tasks(), () => {});
  return (performance.now() - start) / count;
}
