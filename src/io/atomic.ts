/** Files that appear whole or not at all: temporary sibling, fsync, rename. */
import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Writes `path` so that a reader, or a power cut, sees the old file or the new one.
 * The folder must exist. A failure leaves nothing behind and keeps the old file.
 * @param chunks the bytes, or any sequence of parts to write in order
 */
export async function writeFileAtomic(
  path: string,
  chunks: Uint8Array | string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const temporary = temporarySibling(path);
  try {
    await writeDurably(temporary, chunks);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw aboutTarget(error, path);
  }
  await syncFolder(dirname(path));
}

/**
 * Creates the folder `path` with everything in it, or nothing: `fill` writes into a temporary
 * sibling, which is then renamed. `path` must not exist as a non-empty folder.
 */
export async function writeFolderAtomic(
  path: string,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = temporarySibling(path);
  try {
    await mkdir(temporary);
    await fill(temporary);
    await syncFolder(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    throw aboutTarget(error, path);
  }
  await syncFolder(dirname(path));
}

/** A hidden name in the same folder, so that the rename stays on one file system. */
function temporarySibling(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
}

/** A system error names the file the caller asked for, not the temporary one. */
function aboutTarget(error: unknown, path: string): unknown {
  if (error instanceof Error && "path" in error) error.path = path;
  return error;
}

async function writeDurably(
  path: string,
  chunks: Uint8Array | string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const file = await open(path, "wx");
  try {
    if (typeof chunks === "string" || chunks instanceof Uint8Array) {
      await file.writeFile(chunks);
    } else {
      for await (const chunk of chunks) await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The rename itself is durable only once its folder is. Not every system can sync a folder. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  try {
    await folder?.sync();
  } catch {
    // EPERM or EINVAL where folders cannot be synced: the file is whole all the same.
  } finally {
    await folder?.close();
  }
}
