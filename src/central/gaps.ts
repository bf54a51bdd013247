import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder, writeFileAtomic } from "../io/atomic.ts";
import { decodeGap, encodeGap, type Gap, parseJson } from "../protocol/index.ts";

/** A device's loss as it stands on disk. */
export interface StoredGap extends Gap {
  readonly device: number;
  /** Wall clock, ms. */
  readonly reportedMs: number;
}

const FILE_BYTES_MAX = 4096;

/**
 * Losses that devices have named: `OUT/gaps/{device}-{from}-{to}-{reason}.json`, synced before they
 * are acknowledged. A notice that comes twice is one file, and central processes that share a folder
 * write the same one.
 */
export class GapStore {
  readonly #folder: string;

  constructor(out: string) {
    this.#folder = join(out, "gaps");
  }

  /** When this resolves the notice survives a power cut. */
  async note(device: number, gap: Gap, reportedMs: number): Promise<void> {
    await makeFolder(this.#folder);
    const name = `${device}-${gap.from}-${gap.to}-${gap.reason}.json`;
    const document = { device, ...encodeGap(gap), reportedMs };
    await writeFileAtomic(join(this.#folder, name), `${JSON.stringify(document)}\n`);
  }

  /** All of them, in no particular order. @throws Error of one line for a file that is none */
  async load(): Promise<StoredGap[]> {
    const names: string[] = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    const files = names.filter((name) => name.endsWith(".json") && !name.startsWith("."));
    const gaps: StoredGap[] = [];
    // One after the other: there may be more of them than file handles.
    for (const name of files) gaps.push(await readGap(join(this.#folder, name)));
    return gaps;
  }
}

async function readGap(path: string): Promise<StoredGap> {
  const document = parseJson(await readFile(path), FILE_BYTES_MAX) ?? {};
  const gap = decodeGap(document);
  const { device, reportedMs } = document;
  if (gap === undefined || typeof device !== "number" || typeof reportedMs !== "number") {
    throw new Error(`${path}: expected a gap notice, got something else`);
  }
  return { ...gap, device, reportedMs };
}
