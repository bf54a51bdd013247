import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic, writeFilesAtomic } from "../io/atomic.ts";
import { type Journal, journalsIn } from "./committer.ts";
import { type JournalEntry, splitJournal } from "./journalEntry.ts";

/** The file that makes a result count. */
const DOCUMENT = "record.json";

/** What {@link recoverResults} has found. */
export interface Recovery {
  /** Records whose results were put back. */
  readonly restored: readonly bigint[];
  /** To be removed once the results they vouch for are synced in their place. */
  readonly journals: readonly Journal[];
}

/**
 * Puts the results of journals that a process left behind in their place, where they are not there
 * whole: the machine went down before they were synced.
 * @param owns records that no other process works on
 */
export async function recoverResults(
  folder: string,
  owns: (record: bigint) => boolean,
): Promise<Recovery> {
  const restored: bigint[] = [];
  const journals: Journal[] = [];
  for (const name of journalsIn(folder)) {
    const path = join(folder, name);
    const entries = splitJournal(await readFile(path));
    const own = new Map(
      entries.filter(({ record }) => owns(record)).map((entry) => [entry.record, entry]),
    );
    for (const entry of own.values()) {
      if (await isWhole(folder, entry)) continue;
      await restore(folder, entry);
      restored.push(entry.record);
    }
    // One that holds other processes' results too may be in use.
    const isOwn = entries.every(({ record }) => owns(record));
    if (isOwn) journals.push({ path, records: [...own.keys()] });
  }
  return { restored, journals };
}

/** A result of a later revision is whole as well: that was synced when it was written. */
async function isWhole(folder: string, { record, files }: JournalEntry): Promise<boolean> {
  const result = join(folder, `${record}`);
  const document = await readFile(join(result, DOCUMENT)).catch(() => undefined);
  if (document === undefined || !isJson(document)) return false;
  if (!document.equals(files.get(DOCUMENT)!)) return true;
  for (const [name, contents] of files) {
    const found = await readFile(join(result, name)).catch(() => undefined);
    if (!found?.equals(contents)) return false;
  }
  return true;
}

async function restore(folder: string, { record, files }: JournalEntry): Promise<void> {
  const result = join(folder, `${record}`);
  const { [DOCUMENT]: document, ...others } = Object.fromEntries(files);
  await writeFilesAtomic(result, others);
  await writeFileAtomic(join(result, DOCUMENT), document!);
}

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder().decode(bytes));
    return true;
  } catch {
    return false;
  }
}
