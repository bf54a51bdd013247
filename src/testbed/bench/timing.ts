import { Bench } from "tinybench";

export interface Task {
  readonly name: string;
  readonly run: () => void;
}

export interface TimingOptions {
  /** Passes over all tasks; they take turns so that a slow spell of the machine hits all of them. */
  readonly rounds: number;
  /** Time of one task in one round. */
  readonly taskMs: number;
}

/** Times of one task, in milliseconds per run, one entry per round. */
export interface Timing {
  readonly medianMs: readonly number[];
  readonly bestMs: readonly number[];
}

/** A sample shorter than this would measure the clock. */
const SAMPLE_MS = 0.1;

/** Warms every task up, then times them in turns. */
export function timeInTurns(tasks: readonly Task[], options: TimingOptions): Timing[] {
  const batches = tasks.map(({ run }) => batchSize(run, options.taskMs));
  const timings = tasks.map(() => ({ medianMs: [] as number[], bestMs: [] as number[] }));
  for (let round = 0; round < options.rounds; round++) {
    const bench = new Bench({ time: options.taskMs, iterations: 5, warmup: false, throws: true });
    tasks.forEach((task, i) => {
      bench.add(String(i), batched(task.run, batches[i]!));
    });
    bench.runSync().forEach((task, i) => {
      const { result } = task;
      if (result.state !== "completed") {
        throw new Error(`bench ${tasks[i]!.name}: expected a completed run, got ${result.state}`);
      }
      timings[i]!.medianMs.push(result.latency.p50 / batches[i]!);
      timings[i]!.bestMs.push(result.latency.min / batches[i]!);
    });
  }
  return timings;
}

/** Runs per sample, found while the engine compiles the code with its best tier. */
function batchSize(run: () => void, warmupMs: number): number {
  const end = performance.now() + warmupMs;
  let runs = 0;
  let start = performance.now();
  let fastest = Number.POSITIVE_INFINITY;
  do {
    run();
    runs++;
    const now = performance.now();
    fastest = Math.min(fastest, now - start);
    start = now;
  } while (start < end || runs < 50);
  return Math.max(1, Math.ceil(SAMPLE_MS / Math.max(fastest, 1e-4)));
}

function batched(run: () => void, batch: number): () => void {
  return () => {
    for (let i = 0; i < batch; i++) run();
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + sorted[middle - 1]!) / 2;
}
