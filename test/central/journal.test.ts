import { existsSync } from "node:fs";
import { appendFile, mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CommitLane } from "../../src/central/commitLane.ts";
import { recoverResults } from "../../src/central/journal.ts";
import { encodeEntry, sealEntry, splitJournal } from "../../src/central/journalEntry.ts";
import { scratch, until } from "../edge/smallSurvey.ts";

let folder: Awaited<ReturnType<typeof scratch>>;
let lane: CommitLane;
beforeEach(async () => {
  folder = await scratch();
  lane = new CommitLane(folder.path, false);
});
afterEach(async () => {
  await lane.close();
  await folder.dispose();
});

const everything = () => true;

describe("CommitLane", () => {
  it("puts every result in its place and keeps it in a journal, until it ends", async () => {
    expect(await Promise.all([1, 2, 3].map(commit))).toEqual(Array(3).fill("committed"));
    for (const record of [1, 2, 3]) expect(await found(record)).toEqual(expected(record));
    const [journal, ...others] = await journals();
    expect(others).toEqual([]);
    const entries = splitJournal(await readFile(journal!));
    expect(entries.map(({ record }) => record)).toEqual([1n, 2n, 3n]);
    await lane.close();
    expect(await journals()).toEqual([]);
    for (const record of [1, 2, 3]) expect(await found(record)).toEqual(expected(record));
    expect(await commit(4)).toBe("committed");
  });

  it("leaves a folder that is there as it is, and says so", async () => {
    await mkdir(at(1));
    await writeFile(join(at(1), "note"), "kept");
    expect(await Promise.all([commit(1), commit(2)])).toEqual(["exists", "committed"]);
    expect(await readdir(at(1))).toEqual(["note"]);
    expect((await readdir(folder.path)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("says why a result could not be written", async () => {
    await folder.dispose();
    expect(await commit(1)).toEqual({ error: expect.stringContaining("ENOENT") });
    await mkdir(folder.path);
    expect(await commit(1)).toBe("committed");
  });
});

describe("recoverResults", () => {
  it("puts back what a power cut has taken, and nothing else", async () => {
    await Promise.all([1, 2, 3, 4].map(commit));
    await truncate(join(at(1), "velocity.npy"), 0);
    await rm(at(2), { recursive: true });
    await writeFile(join(at(3), "record.json"), new Uint8Array(17));
    const { restored, journals: left } = await recoverResults(folder.path, everything);
    expect(restored).toEqual([1n, 2n, 3n]);
    for (const record of [1, 2, 3, 4]) expect(await found(record)).toEqual(expected(record));
    expect(left).toEqual([{ path: (await journals())[0], records: [1n, 2n, 3n, 4n] }]);
    expect((await recoverResults(folder.path, everything)).restored).toEqual([]);
  });

  it("keeps a later revision of a result", async () => {
    await commit(1);
    const later = { ...expected(1), "record.json": '{"revision":2}', "velocity.npy": "new" };
    for (const [name, text] of Object.entries(later)) await writeFile(join(at(1), name), text);
    expect((await recoverResults(folder.path, everything)).restored).toEqual([]);
    expect(await found(1)).toEqual(later);
  });

  it("leaves other processes' records alone, and the journal that holds them", async () => {
    await Promise.all([1, 2].map(commit));
    for (const record of [1, 2]) await rm(at(record), { recursive: true });
    const recovery = await recoverResults(folder.path, (record) => record === 2n);
    expect(recovery).toEqual({ restored: [2n], journals: [] });
    expect(existsSync(at(1))).toBe(false);
    expect(await found(2)).toEqual(expected(2));
  });

  it("stops at an entry that was cut short or damaged: it was never acknowledged", async () => {
    await Promise.all([1, 2].map(commit));
    for (const record of [1, 2]) await rm(at(record), { recursive: true });
    const [journal] = await journals();
    const entry = encodeEntry(3n, files(3));
    sealEntry(entry);
    await appendFile(journal!, entry.subarray(0, entry.length - 1));
    expect((await recoverResults(folder.path, everything)).restored).toEqual([1n, 2n]);

    const bytes = await readFile(journal!);
    const second = bytes.length - 2 * (entry.length - 1);
    bytes[second + 60]! ^= 1;
    expect(splitJournal(bytes).map(({ record }) => record)).toEqual([1n]);
  });
});

describe("Committer", () => {
  it("syncs the results in their place and removes the journal when nothing comes", async () => {
    await commit(1);
    expect((await journals()).length).toBe(1);
    await until(async () => (await journals()).length === 0);
    expect(await found(1)).toEqual(expected(1));
  });
});

function files(record: number): Record<string, Uint8Array[]> {
  return Object.fromEntries(
    Object.entries(expected(record)).map(([name, text]) => [
      name,
      [...text].map((letter) => Buffer.from(letter)),
    ]),
  );
}

function expected(record: number): Record<string, string> {
  return {
    "frames.bin": `frames of ${record}`,
    "record.json": `{"record":"${record}"}`,
    "velocity.npy": `map ${record}`,
  };
}

async function found(record: number): Promise<Record<string, string>> {
  const names = (await readdir(at(record))).sort();
  const texts = names.map((name) => readFile(join(at(record), name), "utf8"));
  return Object.fromEntries((await Promise.all(texts)).map((text, i) => [names[i], text]));
}

function commit(record: number) {
  return lane.commit(BigInt(record), files(record));
}

function at(record: number): string {
  return join(folder.path, `${record}`);
}

async function journals(): Promise<string[]> {
  const names = (await readdir(folder.path)).filter((name) => name.startsWith(".journal."));
  return names.map((name) => join(folder.path, name));
}
