/** Files that appear whole or not at all: temporary sibling, fsync, rename. */
import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

/** The bytes of a file, whole or in parts to write in order. */
export type FileContents = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Writes `path` so that a reader, or a power cut, sees the old file or the new one.
 * The folder must exist. A failure leaves nothing behind and keeps the old file.
 * @param options.mode permissions of the file from its first byte on; default 0o666 less the umask
 */
export async function writeFileAtomic(
  path: string,
  contents: FileContents,
  { mode }: { mode?: number } = {},
): Promise<void> {
  const temporary = temporarySibling(path);
  try {
    await writeDurably(temporary, contents, mode);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw aboutTarget(error, path);
  }
  await syncFolder(dirname(path));
}

/**
 * Writes several files into `folder`, which is made when missing: all are complete on disk before
 * the first takes its name. A failure leaves no file, and no folder that was not there before.
 * @param files contents by file name
 */
export async function writeFilesAtomic(
  folder: string,
  files: Readonly<Record<string, FileContents>>,
): Promise<void> {
  const made = await makeFolder(folder);
  const staged: { path: string; temporary: string }[] = [];
  try {
    for (const [name, contents] of Object.entries(files)) {
      const path = join(folder, name);
      const temporary = temporarySibling(path);
      staged.push({ path, temporary });
      await writeDurably(temporary, contents).catch((error: unknown) => {
        throw aboutTarget(error, path);
      });
    }
    for (const { path, temporary } of staged) await rename(temporary, path);
  } catch (error) {
    for (const { temporary } of staged) await rm(temporary, { force: true }).catch(() => {});
    if (made !== undefined) await rm(made, { recursive: true, force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(folder);
}

/** True for the name of a draft of `name`, as a process that is killed leaves it: `.{name}.{12 hex digits}.tmp`. */
export function isDraftOf(name: string, draft: string): boolean {
  return draft.startsWith(`.${name}.`) && /^[0-9a-f]{12}\.tmp$/.test(draft.slice(name.length + 2));
}

/**
 * Makes `folder` and what is missing above it. Returns the first folder made, undefined when all
 * were there. Unlike mkdir's own `recursive`, it does not spin where a folder cannot be made though
 * its parent is there (Node 20, /proc).
 */
export async function makeFolder(folder: string): Promise<string | undefined> {
  const path = resolve(folder);
  const status = await stat(path).catch(() => undefined);
  if (status?.isDirectory()) return undefined;
  const above = dirname(path);
  const made = above === path ? undefined : await makeFolder(above);
  try {
    await mkdir(path);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!(await stat(path).catch(() => undefined))?.isDirectory()) throw error;
  }
  return made ?? path;
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

async function writeDurably(path: string, contents: FileContents, mode?: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    if (typeof contents === "string" || contents instanceof Uint8Array) {
      await file.writeFile(contents);
    } else {
      for await (const part of contents) await file.writeFile(part);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** When this resolves the contents of a file, as they are now, survive a power cut. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The rename itself is durable only once its folder is. Not every system can sync a folder. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  try {
    await folder?.sync();
  } catch {
    // EPERM or EINVAL where folders cannot be synced: the file is whole all the same.
  } finally {
    await folder?.close();
  }
}
