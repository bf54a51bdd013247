import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { syncFile, syncFolder } from "../io/atomic.ts";
import { decodeEntry, type JournalEntry, sealEntry } from "./journalEntry.ts";

/** Journals begin so; they are hidden among the results. */
export const JOURNAL_PREFIX = ".journal.";
/** A journal this long is replaced by a new one; 600 results or so. */
const SEGMENT_BYTES = 16 * 2 ** 20;
/** Without results for so long, all are synced where they stand, and no journal is left. */
const IDLE_MS = 3_000;

/** So many are synced one by one: a sync of the whole file system may have to wait for others' data. */
const FEW_RESULTS = 32;

/** What became of one result: on disk for good; a folder of that name is there; or it failed. */
export type Outcome = "committed" | "exists" | { readonly error: string };

/** A journal, and the results in their place that it vouches for. */
export interface Journal {
  readonly path: string;
  readonly records: readonly bigint[];
}

/** A journal that is being written. */
interface Segment extends Journal {
  readonly file: number;
  bytes: number;
  readonly records: bigint[];
}

/**
 * Commits results many at a time with one sync: a batch is appended to a journal in the results'
 * folder, the journal synced, then each result's folder made and renamed into place, unsynced. When a
 * journal is long enough, or nothing comes, the folders are synced and the journal is removed. So what
 * `commit` has returned survives a power cut, in the journal if not in its place; `recoverResults`
 * puts it there.
 *
 * Its calls block, so that a result costs a dozen system calls and not as many tasks of Node's thread
 * pool: it is meant for a thread of its own.
 */
export class Committer {
  readonly #folder: string;
  /** Tells this committer's drafts and journals from those of others. */
  readonly #tag = randomBytes(6).toString("hex");
  #segments = 0;
  #segment: Segment | undefined;
  #retiring: Promise<void> | undefined;
  /** Not synced in their place yet, and no longer appended to. */
  #full: Segment[] = [];
  #idle: NodeJS.Timeout | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param entries as `encodeEntry` makes them, of different records */
  commit(entries: readonly Uint8Array[]): Outcome[] {
    clearTimeout(this.#idle);
    const outcomes = this.#commit(entries);
    this.#idle = setTimeout(() => void this.retire(), IDLE_MS);
    this.#idle.unref();
    return outcomes;
  }

  #commit(entries: readonly Uint8Array[]): Outcome[] {
    try {
      this.#append(entries);
    } catch (error) {
      // What the journal holds now is not certain: it is not appended to any more.
      this.#rotate();
      return entries.map(() => ({ error: (error as Error).message }));
    }
    // An entry whose result cannot be placed does no harm: it was not acknowledged.
    const outcomes = entries.map((entry) => this.#place(decodeEntry(entry)));
    if (this.#segment !== undefined && this.#segment.bytes >= SEGMENT_BYTES) this.#rotate();
    return outcomes;
  }

  #append(entries: readonly Uint8Array[]): void {
    this.#segment ??= this.#open();
    for (const entry of entries) {
      sealEntry(entry);
      this.#segment.bytes += writeAll(this.#segment.file, entry, this.#segment.bytes);
    }
    fdatasyncSync(this.#segment.file);
  }

  /** Syncs all results in their place and removes the journals; what fails is tried once more. */
  async retire(): Promise<void> {
    clearTimeout(this.#idle);
    for (let i = 0; i < 2; i++) {
      this.#rotate();
      await this.#retiring;
    }
  }

  #open(): Segment {
    const path = join(this.#folder, `${JOURNAL_PREFIX}${this.#tag}.${this.#segments++}`);
    const file = openSync(path, "wx");
    syncFolderNow(this.#folder);
    return { path, file, bytes: 0, records: [] };
  }

  #rotate(): void {
    if (this.#segment !== undefined) {
      closeSync(this.#segment.file);
      this.#full.push(this.#segment);
      this.#segment = undefined;
    }
    if (this.#retiring !== undefined || this.#full.length === 0) return;
    const full = this.#full;
    this.#full = [];
    this.#retiring = retireJournals(this.#folder, full)
      // The journals stay and are tried again with the next; a later process finds them, too.
      .catch(() => void this.#full.unshift(...full))
      .finally(() => {
        this.#retiring = undefined;
      });
  }

  /** Makes a result's folder, whole or not at all. */
  #place({ record, files }: JournalEntry): Outcome {
    const draft = join(this.#folder, `.${record}.${this.#tag}.tmp`);
    try {
      mkdirSync(draft);
      for (const [name, contents] of files) writeNew(join(draft, name), contents);
      renameSync(draft, join(this.#folder, `${record}`));
      this.#segment?.records.push(record);
      return "committed";
    } catch (error) {
      rmSync(draft, { recursive: true, force: true });
      const { code, message } = error as NodeJS.ErrnoException;
      return code === "ENOTEMPTY" || code === "EEXIST" || code === "ENOTDIR"
        ? "exists"
        : { error: message };
    }
  }
}

/** Names of the journals in a folder of results. */
export function journalsIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith(JOURNAL_PREFIX));
}

/** Syncs the results of journals in their place, then removes these. */
export async function retireJournals(folder: string, journals: readonly Journal[]): Promise<void> {
  await syncResults(
    folder,
    journals.flatMap(({ records }) => records),
  );
  for (const { path } of journals) await rm(path, { force: true });
}

async function syncResults(folder: string, records: readonly bigint[]): Promise<void> {
  if (records.length === 0) return;
  if (records.length > FEW_RESULTS && (await syncFileSystem(folder))) return;
  for (const record of records) {
    const result = join(folder, `${record}`);
    for (const name of readdirSync(result)) await syncFile(join(result, name));
    await syncFolder(result);
  }
  await syncFolder(folder);
}

/** One syncfs(2) for thousands of files, by the system's own program; false where that is not to be had. */
function syncFileSystem(folder: string): Promise<boolean> {
  if (process.platform !== "linux") return Promise.resolve(false);
  return new Promise((resolve) => {
    const sync = spawn("sync", ["-f", folder], { stdio: "ignore" });
    // A process that ends does not wait for it; its journals stay.
    sync.unref();
    sync.on("error", () => resolve(false)).on("exit", (code) => resolve(code === 0));
  });
}

function syncFolderNow(path: string): void {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    fsyncSync(file);
  } catch {
    // Not every system can sync a folder.
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function writeNew(path: string, contents: Uint8Array): void {
  const file = openSync(path, "wx");
  try {
    writeAll(file, contents, 0);
  } finally {
    closeSync(file);
  }
}

/** Writes all of `bytes` at `position`; returns their number. */
function writeAll(file: number, bytes: Uint8Array, position: number): number {
  for (let at = 0; at < bytes.length; ) {
    at += writeSync(file, bytes, at, bytes.length - at, position + at);
  }
  return bytes.length;
}
