import { Worker } from "node:worker_threads";
import { Committer, type Outcome } from "./committer.ts";
import { encodeEntry, type ResultFiles } from "./journalEntry.ts";

/** How long the end waits for the results to be synced in their place. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Where a {@link CommitLane} has its batches committed. */
interface Seat {
  /** @param entries are given away */
  commit(entries: readonly Uint8Array<ArrayBuffer>[]): Promise<readonly Outcome[]>;
  /** Leaves no journal behind, if the disk allows it. */
  close(): Promise<void>;
}

interface Waiting {
  readonly entry: Uint8Array<ArrayBuffer>;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
}

/** Results on their way to the disk: what comes while a batch is being written makes the next. */
export class CommitLane {
  readonly #seat: Seat;
  #waiting: Waiting[] = [];
  #busy = false;

  /** @param thread commits in a thread of its own, so that decoding goes on meanwhile */
  constructor(folder: string, thread: boolean) {
    this.#seat = thread ? new ThreadSeat(folder) : new InlineSeat(folder);
  }

  /** Resolves when the result survives a power cut, or with why it does not. */
  commit(record: bigint, files: ResultFiles): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry: encodeEntry(record, files), resolve, reject });
      if (!this.#busy) void this.#run();
    });
  }

  async close(): Promise<void> {
    await this.#seat.close();
  }

  async #run(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        const outcomes = await this.#seat.commit(batch.map(({ entry }) => entry));
        for (const [i, { resolve }] of batch.entries()) resolve(outcomes[i]!);
      } catch (error) {
        for (const { reject } of batch) reject(error as Error);
      }
    }
    this.#busy = false;
  }
}

class InlineSeat implements Seat {
  readonly #committer: Committer;

  constructor(folder: string) {
    this.#committer = new Committer(folder);
  }

  async commit(entries: readonly Uint8Array[]): Promise<readonly Outcome[]> {
    return this.#committer.commit(entries);
  }

  async close(): Promise<void> {
    await this.#committer.retire();
  }
}

/** A thread that has died is replaced at the next batch. */
class ThreadSeat implements Seat {
  readonly #folder: string;
  #worker: Worker | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    this.#worker = this.#start();
  }

  commit(entries: readonly Uint8Array<ArrayBuffer>[]): Promise<readonly Outcome[]> {
    return this.#ask(
      entries,
      entries.map(({ buffer }) => buffer),
    );
  }

  /** A disk that takes long is not waited for: the journals it leaves behind hold all that counts. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    });
    await Promise.race([this.#ask("retire", []).catch(() => {}), patience]);
    clearTimeout(timer);
    this.#worker = undefined;
    await worker.terminate();
  }

  #start(): Worker {
    const file = new URL("./commitWorker.js", import.meta.url);
    const worker = new Worker(file, { workerData: this.#folder });
    const gone = () => {
      if (this.#worker === worker) this.#worker = undefined;
    };
    return worker.on("error", gone).on("exit", gone);
  }

  #ask(
    message: readonly Uint8Array[] | "retire",
    transfer: ArrayBuffer[],
  ): Promise<readonly Outcome[]> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      const settle = (outcomes: readonly Outcome[]) => {
        worker.off("error", reject).off("exit", stopped);
        resolve(outcomes);
      };
      const stopped = (code: number) =>
        reject(new Error(`commit thread: stopped with code ${code}`));
      worker.once("message", settle).once("error", reject).once("exit", stopped);
      worker.postMessage(message, transfer);
    });
  }
}
