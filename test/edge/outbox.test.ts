import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FileMark, Outbox, type OutboxOptions } from "../../src/edge/outbox.ts";
import { modelId, scratch } from "./smallSurvey.ts";

const mark: FileMark = { size: 1, mtimeMs: 2, first: "1", count: 1, done: 1 };
const frame = (fill: number, length = 100): Uint8Array => new Uint8Array(length).fill(fill);
let folder: Awaited<ReturnType<typeof scratch>>;
let open: Outbox[] = [];

beforeEach(async () => {
  folder = await scratch();
});
afterEach(async () => {
  for (const outbox of open) await outbox.close();
  open = [];
  await folder.dispose();
});

async function outboxOf(options: Partial<OutboxOptions> = {}): Promise<Outbox> {
  const outbox = await Outbox.open(join(folder.path, "box"), { owner: "field/2", ...options });
  open.push(outbox);
  return outbox;
}

async function reopened(outbox: Outbox, options: Partial<OutboxOptions> = {}): Promise<Outbox> {
  await outbox.close();
  open = open.filter((other) => other !== outbox);
  return outboxOf(options);
}

function put(outbox: Outbox, record: number, bytes = frame(record)): Promise<string | undefined> {
  const entry = { record: BigInt(record), modelId, frame: bytes };
  return outbox.put(entry, `record-${record}.npy`, { ...mark, first: `${record}` });
}

describe("Outbox", () => {
  it("gives back frames and marks after it was closed, oldest record first", async () => {
    let outbox = await outboxOf();
    for (const record of [10, 9, 100]) await put(outbox, record);
    outbox = await reopened(outbox);
    expect(outbox.keys()).toEqual([9n, 10n, 100n].map((record) => Outbox.keyOf(record, modelId)));
    expect(Uint8Array.from((await outbox.get(outbox.keys()[1]!))!)).toEqual(frame(10));
    expect(outbox.fileMark("record-9.npy")).toEqual({ ...mark, first: "9" });
    expect([outbox.size, outbox.bytes]).toEqual([3, 300]);
  });

  it("forgets a removed frame, also after it was closed", async () => {
    let outbox = await outboxOf();
    const key = (await put(outbox, 1))!;
    expect(await outbox.remove(key)).toBe(true);
    expect(await outbox.remove(key)).toBe(false);
    outbox = await reopened(outbox);
    expect([outbox.size, outbox.bytes]).toEqual([0, 0]);
    expect(outbox.fileMark("record-1.npy")).toBeDefined();
  });

  it("replaces a frame of the same record and model", async () => {
    const outbox = await outboxOf();
    await put(outbox, 1);
    const key = (await put(outbox, 1, frame(7, 50)))!;
    expect([outbox.size, outbox.bytes]).toEqual([1, 50]);
    expect(Uint8Array.from((await outbox.get(key))!)).toEqual(frame(7, 50));
  });

  it("takes nothing when full and told to wait, and again when there is room", async () => {
    const outbox = await outboxOf({ bytesMax: 250 });
    const first = (await put(outbox, 1))!;
    await put(outbox, 2);
    expect(await put(outbox, 3)).toBeUndefined();
    expect(outbox.fileMark("record-3.npy")).toBeUndefined();
    await outbox.remove(first);
    expect(await put(outbox, 3)).toBeDefined();
  });

  it("drops the oldest when full and told so, and says how many", async () => {
    let outbox = await outboxOf({ bytesMax: 250, whenFull: "drop-oldest" });
    for (const record of [1, 2, 3, 4]) await put(outbox, record);
    expect(outbox.dropped).toBe(2);
    expect(await put(outbox, 5, frame(5, 251))).toBeUndefined();
    outbox = await reopened(outbox);
    expect(outbox.keys()).toEqual([3n, 4n].map((record) => Outbox.keyOf(record, modelId)));
  });

  it("keeps refused frames aside, up to a bound", async () => {
    let outbox = await outboxOf({ refusedMax: 3 });
    for (let record = 0; record < 5; record++) {
      await outbox.setAside((await put(outbox, record))!, "unknown-model");
    }
    expect([outbox.size, outbox.bytes, outbox.refusedCount]).toEqual([0, 0, 3]);
    outbox = await reopened(outbox);
    expect([outbox.size, outbox.refusedCount]).toEqual([0, 3]);
  });

  it("forgets marks of files that are gone", async () => {
    let outbox = await outboxOf();
    await put(outbox, 1);
    await put(outbox, 2);
    await outbox.forgetFilesExcept(new Set(["record-2.npy"]));
    outbox = await reopened(outbox);
    expect([...outbox.fileMarks().keys()]).toEqual(["record-2.npy"]);
    expect(outbox.size).toBe(2);
  });

  it("refuses the outbox of another device", async () => {
    const outbox = await outboxOf();
    const folderPath = join(folder.path, "box");
    await expect(reopened(outbox, { owner: "field/3" })).rejects.toThrow(
      `outbox: expected the outbox of field/3, got that of field/2 (${folderPath})`,
    );
  });

  it("says in one line that another process has it open, or that the folder is none", async () => {
    await outboxOf();
    await expect(outboxOf()).rejects.toThrow(/^outbox: .*another process has it open\)$/);
    const path = join(folder.path, "file");
    await writeFile(path, "");
    await expect(Outbox.open(path, { owner: "a" })).rejects.toThrow(/^outbox: expected a usable/);
  });
});
