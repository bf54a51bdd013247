import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder, writeFileAtomic } from "../io/atomic.ts";
import type { LatentCoder } from "../protocol/index.ts";
import type { ReceivedFrame } from "./assembler.ts";
import { splitFrames } from "./store.ts";

/**
 * Frames of records that still wait for other devices: `OUT/open/{record}.bin`, one frame after the
 * other, synced before they are acknowledged. Without them a device whose window is full of records
 * that wait for another device could send nothing else, and the other neither: after an outage both
 * would fill in at the pace of deadlines.
 */
export class OpenFrames {
  readonly #folder: string;
  readonly #coder: LatentCoder | undefined;

  /** @param coder reads entropy-coded frames back */
  constructor(out: string, coder?: LatentCoder) {
    this.#folder = join(out, "open");
    this.#coder = coder;
  }

  /** Replaces what is kept of a record. When this resolves it survives a power cut. */
  async keep(record: bigint, frames: readonly ReceivedFrame[]): Promise<void> {
    await makeFolder(this.#folder);
    await writeFileAtomic(
      this.#pathOf(record),
      frames.map(({ bytes }) => bytes),
    );
  }

  /** The record's result is on disk, its frames with it. */
  async release(record: bigint): Promise<void> {
    await rm(this.#pathOf(record), { force: true });
  }

  /** Records that are kept, oldest first. */
  async records(): Promise<bigint[]> {
    const names: string[] = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    const ids = names.flatMap((name) => /^(\d{1,20})\.bin$/.exec(name)?.[1] ?? []);
    return ids.map(BigInt).sort((a, b) => (a < b ? -1 : 1));
  }

  /** @throws FrameError for a file that is damaged or of another model's coding */
  async load(record: bigint): Promise<ReceivedFrame[]> {
    const path = this.#pathOf(record);
    const { mtimeMs } = await stat(path);
    const receivedMs = Math.max(0, Math.floor(mtimeMs));
    return splitFrames(await readFile(path), this.#coder).map((part) => ({ ...part, receivedMs }));
  }

  #pathOf(record: bigint): string {
    return join(this.#folder, `${record}.bin`);
  }
}
