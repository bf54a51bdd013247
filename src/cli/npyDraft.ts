/** An npy file in the making: records are written at their place, in any order, by any thread. */
import { open, rename, rm } from "node:fs/promises";
import { npyHeader } from "../io/npy.ts";

export interface NpyDraft {
  /** Open for writing; the descriptor is the process's own, so worker threads can use it. */
  readonly descriptor: number;
  /** Byte offset of the first value. */
  readonly headerBytes: number;
  /** Makes the file durable and gives it its name. */
  finish(): Promise<void>;
  /** Removes it. Nobody may be writing any more. */
  discard(): Promise<void>;
}

/**
 * Starts `path` as `path.tmp` for float32 values of `shape`. A draft that an earlier process left
 * behind is overwritten.
 */
export async function startNpyDraft(path: string, shape: readonly number[]): Promise<NpyDraft> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, "w");
  const header = npyHeader(shape);
  await file.write(header, 0, header.length, 0);
  return {
    descriptor: file.fd,
    headerBytes: header.length,
    async finish() {
      await file.sync();
      await file.close();
      await rename(temporary, path);
    },
    async discard() {
      await file.close().catch(() => {});
      await rm(temporary, { force: true });
    },
  };
}
