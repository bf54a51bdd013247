import { availableParallelism } from "node:os";
import { extname } from "node:path";
import type { ModuleName } from "../engine/kernels.ts";
import { hasWideVectors } from "../engine/wideVectors.ts";
import { startWorkerLane, WorkerPool } from "./workerPool.ts";

/** How many workers, and what each of them loads. */
export interface RecordPoolOptions {
  /** Worker threads; by default one per processor. */
  readonly threads?: number;
  /** Both halves' safetensors files, whole; by default the shipped `epic-base`. */
  readonly weights?: { readonly edge: Uint8Array; readonly central: Uint8Array };
  /** As for `EdgeEncoder.load`. */
  readonly module?: ModuleName;
}

/** What a worker is started with. */
export interface RecordWorkerSetup {
  readonly weights?: { readonly edge: Uint8Array; readonly central: Uint8Array };
  readonly module?: ModuleName;
  /** `hasWideVectors()` of the thread that starts the worker. */
  readonly wide: boolean;
}

/** One record on its way to a worker. */
export interface RecordTask {
  readonly index: number;
  readonly record: Float32Array;
}

const THREADS_MAX = 256;

/**
 * The whole network over many records, in Node: one record per worker thread, each with the model in a memory of its own, so
 * nothing is shared and no page needs to be isolated for it. The maps do not depend on the number of workers.
 *
 *     const pool = RecordPool.open({ threads: 4 });
 *     await pool.infer(records, (map, index) => save(index, map));
 *     await pool.close();
 */
export class RecordPool {
  readonly threads: number;
  readonly #pool: WorkerPool<RecordTask, Float32Array>;

  private constructor(threads: number, pool: WorkerPool<RecordTask, Float32Array>) {
    this.threads = threads;
    this.#pool = pool;
  }

  /**
   * Starts the workers; they load the model while this thread goes on, and a failure to load is the answer to the first record.
   * @throws RangeError when `threads` is no integer in 1..256
   */
  static open(options: RecordPoolOptions = {}): RecordPool {
    const { threads = Math.min(availableParallelism(), THREADS_MAX), weights, module } = options;
    if (!Number.isInteger(threads) || threads < 1 || threads > THREADS_MAX) {
      throw new RangeError(`threads: expected an integer in 1..${THREADS_MAX}, got ${threads}`);
    }
    const file = new URL(`./recordWorker${extname(import.meta.url)}`, import.meta.url);
    const setup: RecordWorkerSetup = {
      ...(weights && { weights }),
      ...(module && { module }),
      wide: hasWideVectors(),
    };
    const lanes = Array.from({ length: threads }, () =>
      startWorkerLane<RecordTask, Float32Array>(file, setup),
    );
    return new RecordPool(threads, new WorkerPool(lanes));
  }

  /**
   * Maps of all records. A record is asked for when a worker is free, so a long survey need not fit in memory.
   * @param records each f32 [shots][samples][receivers of all devices]; copied
   * @param onMap gets each map, f32 [rows][columns], m/s, and its record's index, in the order of completion; it may be awaited
   * @throws Error with the first worker's message; no new record starts after it
   */
  async infer(
    records: Iterable<Float32Array> | AsyncIterable<Float32Array>,
    onMap: (map: Float32Array, index: number) => void | Promise<void>,
  ): Promise<void> {
    await this.#pool.run(numbered(records), (map, { index }) => onMap(map, index));
  }

  /** Ends the workers, whatever they are at. */
  async close(): Promise<void> {
    await this.#pool.close();
  }
}

async function* numbered(
  records: Iterable<Float32Array> | AsyncIterable<Float32Array>,
): AsyncGenerator<RecordTask> {
  let index = 0;
  for await (const record of records) yield { index: index++, record };
}
