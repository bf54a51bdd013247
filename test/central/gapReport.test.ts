import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gapReport } from "../../src/central/gapReport.ts";
import { GapStore } from "../../src/central/gaps.ts";
import { modelId, scratch } from "../edge/smallSurvey.ts";

let folder: Awaited<ReturnType<typeof scratch>>;

beforeEach(async () => {
  folder = await scratch();
});
afterEach(() => folder.dispose());

describe("gapReport", () => {
  it("accounts for complete, partial and missing records, with the reasons named", async () => {
    await result(1, []);
    await result(2, [1, 2]);
    await result(4, []);
    await mkdir(join(folder.path, "5")); // cut short before it was a result
    await gap(1, 2, 3, "outbox-full");
    const report = await gapReport([folder.path], { to: 5n });
    expect(report).toEqual({
      from: "1",
      to: "5",
      records: 5,
      complete: 2,
      partial: [
        {
          record: "2",
          devices: [
            { device: 1, reason: "outbox-full" },
            { device: 2, reason: null },
          ],
        },
      ],
      missing: [
        {
          record: "3",
          devices: [
            { device: 0, reason: null },
            { device: 1, reason: "outbox-full" },
            { device: 2, reason: null },
          ],
        },
        { record: "5", devices: [0, 1, 2].map((device) => ({ device, reason: null })) },
      ],
      namedFrames: 2,
      unnamedFrames: 6,
    });
  });

  it("looks no further than what it finds, over several folders", async () => {
    await result(7, []);
    const other = await scratch();
    await result(8, [], other.path);
    expect(await gapReport([folder.path, other.path])).toMatchObject({
      from: "7",
      to: "8",
      complete: 2,
      unnamedFrames: 0,
    });
    await other.dispose();
  });

  it("says what is wrong with folder, files and range", async () => {
    await expect(gapReport([folder.path])).rejects.toThrow(/expected results, got none/);
    await result(1, []);
    await expect(gapReport([folder.path], { from: 2n })).rejects.toThrow(/^range: expected an end/);
    await expect(gapReport([folder.path], { to: 10n ** 9n })).rejects.toThrow(
      /^range: .*narrow it/,
    );
    await mkdir(join(folder.path, "gaps"));
    await writeFile(join(folder.path, "gaps", "1-1-1-expired.json"), "null");
    await expect(gapReport([folder.path])).rejects.toThrow(/expected a gap notice/);
  });
});

async function gap(device: number, from: number, to: number, reason: "outbox-full"): Promise<void> {
  const lost = BigInt(to - from + 1);
  const notice = { from: BigInt(from), to: BigInt(to), lost, modelId, reason };
  await new GapStore(folder.path).note(device, notice, 0);
}

async function result(record: number, devicesMissing: number[], out = folder.path): Promise<void> {
  const devicesPresent = [0, 1, 2].filter((device) => !devicesMissing.includes(device));
  const document = {
    survey: "field",
    record: `${record}`,
    modelId,
    module: "scalar",
    revision: 1,
    devicesPresent,
    devicesMissing,
    frames: [],
    payloadBytes: 0,
    frameBytes: 0,
    msWait: 0,
    msDecode: 0,
    decodedMs: 0,
    map: { shape: [2, 3], dxM: 10, unit: "m/s" },
  };
  await mkdir(join(out, `${record}`));
  await writeFile(join(out, `${record}`, "record.json"), JSON.stringify(document));
}
