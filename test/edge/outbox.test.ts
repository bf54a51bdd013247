import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FileMark, Outbox, type OutboxOptions } from "../../src/edge/outbox.ts";
import type { Gap, GapReason } from "../../src/protocol/index.ts";
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

/** The key, undefined when there was no room. */
async function put(outbox: Outbox, record: number, bytes = frame(record)) {
  const entry = { record: BigInt(record), modelId, frame: bytes };
  const stored = await outbox.put(entry, `record-${record}.npy`, { ...mark, first: `${record}` });
  return "key" in stored ? stored.key : undefined;
}

function gap(from: number, to: number, reason: GapReason, lost = to - from + 1): Gap {
  return { from: BigInt(from), to: BigInt(to), lost: BigInt(lost), modelId, reason };
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
    expect(outbox.firstGap()).toEqual(gap(1, 2, "outbox-full"));
  });

  it("names every loss until central has noted it, also what was added meanwhile", async () => {
    let outbox = await outboxOf({ bytesMax: 250, whenFull: "drop-oldest" });
    const lost: bigint[] = [];
    outbox.onLost = ({ record }) => lost.push(record);
    for (const record of [1, 2, 3, 4]) await put(outbox, record);
    const reported = outbox.firstGap()!;
    await put(outbox, 5);
    await outbox.noted(reported);
    expect(lost).toEqual([1n, 2n, 3n]);
    outbox = await reopened(outbox);
    expect(outbox.firstGap()).toEqual(gap(3, 3, "outbox-full"));
    await outbox.noted(outbox.firstGap()!);
    outbox = await reopened(outbox);
    expect(outbox.gapCount).toBe(0);
  });

  it("gives up what is too old by its own clock, which stands still while it is closed", async () => {
    let now = 0;
    const options = { ageMaxMs: 10_000, now: () => now };
    let outbox = await outboxOf(options);
    await put(outbox, 1);
    now += 6000;
    await put(outbox, 2);
    await outbox.maintain();
    expect(outbox.size).toBe(2);
    now += 1e9;
    outbox = await reopened(outbox, options);
    await outbox.maintain();
    expect(outbox.size).toBe(2);
    now += 5000;
    await outbox.maintain();
    expect([outbox.keys(), outbox.expired]).toEqual([[Outbox.keyOf(2n, modelId)], 1]);
    outbox = await reopened(outbox, options);
    expect(outbox.firstGap()).toEqual(gap(1, 1, "expired"));
    now += 20_000;
    await outbox.maintain();
    expect(outbox.firstGap()).toEqual(gap(1, 2, "expired"));
  });

  it("takes nothing when the disk has less room than the reserve", async () => {
    const outbox = await outboxOf({ reserveBytes: Number.MAX_SAFE_INTEGER });
    const entry = { record: 1n, modelId, frame: frame(1) };
    expect(await outbox.put(entry, "record-1.npy", mark)).toEqual({ full: "disk" });
    expect([outbox.size, outbox.fileMark("record-1.npy")]).toEqual([0, undefined]);
  });

  it("names a frame that cannot be read back", async () => {
    const outbox = await outboxOf();
    await outbox.giveUpDamaged((await put(outbox, 1))!);
    expect([outbox.size, outbox.firstGap()]).toEqual([0, gap(1, 1, "damaged")]);
  });

  it("keeps refused frames aside, up to a bound", async () => {
    let outbox = await outboxOf({ refusedMax: 3 });
    for (let record = 0; record < 5; record++) {
      await outbox.setAside((await put(outbox, record))!, "unknown-model");
    }
    expect([outbox.size, outbox.bytes, outbox.refusedCount]).toEqual([0, 0, 3]);
    outbox = await reopened(outbox);
    expect([outbox.size, outbox.refusedCount]).toEqual([0, 3]);
    expect(outbox.firstGap()).toEqual(gap(0, 4, "refused-unknown-model"));
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
