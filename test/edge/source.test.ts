/** The device's folder of records, in every format that is read. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Outbox } from "../../src/edge/outbox.ts";
import { firstRecord, RecordSource } from "../../src/edge/source.ts";
import { encodeNpy } from "../../src/io/npy.ts";
import { encodeNpz } from "../../src/io/npz.ts";
import { type SegyGeometry, writeSegy } from "../../src/io/segy.ts";
import { allTraces, config, modelId, scratch } from "./smallSurvey.ts";

let folder: Awaited<ReturnType<typeof scratch>>;
let outbox: Outbox;

beforeAll(async () => {
  folder = await scratch();
  await mkdir(join(folder.path, "records"));
  outbox = await Outbox.open(join(folder.path, "outbox"), {
    owner: "small/1",
    bytesMax: 2 ** 20,
    whenFull: "wait",
  });
});
afterAll(async () => {
  await outbox.close();
  await folder.dispose();
});

/** Two records of the small survey, all six receivers. */
function segy(): AsyncGenerator<Uint8Array> {
  const geometry: SegyGeometry = {
    ...{ kind: "records", count: 2, shots: 2, samples: 4, width: 6, step: 1 },
    ...{ sourcesM: [0, 50], positionsM: [0, 10, 20, 30, 40, 50] },
  };
  return writeSegy(geometry, "ieee", async (index) => allTraces(7 + index));
}

describe("RecordSource", () => {
  it("takes npy, npz and SEG-Y, tells what it converts and what it refuses", async () => {
    const put = (name: string, contents: Parameters<typeof writeFile>[1]) =>
      writeFile(join(folder.path, "records", name), contents);
    await put("rec5.npy", encodeNpy([2, 4, 6], allTraces(5)));
    await put("rec6.npz", [...encodeNpz({ arr_0: { shape: [2, 4, 6], data: allTraces(6) } })]);
    await put("rec7.sgy", segy());
    await put("rec9.segy", "no SEG-Y");
    await put("rec10.txt", "not looked at");
    const problems: string[] = [];
    let clock = 0;
    const source = new RecordSource({
      folder: join(folder.path, "records"),
      // One map column per receiver, so that SEG-Y can tell them apart.
      geometry: { ...config.geometry, map: [2, 6] },
      device: 1,
      modelId,
      now: () => {
        clock += 10_000;
        return clock;
      },
      onProblem: (message) => problems.push(message),
    });
    const taken = new Map<bigint, number[]>();
    // Nothing is stored, so both scans see all; the second gives up what cannot be read.
    for (let scan = 0; scan < 2; scan++) {
      for await (const { record, traces } of source.records(outbox)) {
        taken.set(record, [...traces]);
      }
    }
    expect([...taken.keys()]).toEqual([5n, 6n, 7n, 8n]);
    for (const [record, traces] of taken) {
      const all = allTraces(Number(record));
      // Device 1 has receivers 2 and 3.
      expect(traces).toEqual([...all].filter((_, i) => i % 6 === 2 || i % 6 === 3));
    }
    expect(problems).toEqual(["rec9.segy: expected at least 3600 bytes, got 8"]);
  });

  it("names records by the digits before the ending", () => {
    expect(firstRecord("line2.shot-0042.sgy")).toBe(42n);
    expect(firstRecord("7.NPZ")).toBe(7n);
    expect(firstRecord("x.segy")).toBeUndefined();
  });
});
