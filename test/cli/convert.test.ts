/** SEG-Y and npz through the commands, as a user runs them: the same answers as from npy. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { encodeNpy } from "../../src/io/npy.ts";
import { scratch } from "../edge/smallSurvey.ts";
import { requireBuild, run } from "./processes.ts";
import { writeSurveyModel } from "./surveyModel.ts";

// Many processes one after the other: patience on a busy machine.
vi.setConfig({ testTimeout: 300_000 });

const shape = [2, 5, 1000, 70];
const traces = Float32Array.from(
  { length: 700_000 },
  (_, i) => ((i * 2654435761) % 4001) / 64 - 31,
);
const maps = Float32Array.from({ length: 9800 }, (_, i) => 1500 + ((i * 37) % 3000));
let folder: Awaited<ReturnType<typeof scratch>>;

beforeAll(async () => {
  requireBuild();
  folder = await scratch();
  await writeSurveyModel(path("model"), 1);
  await writeFile(path("data.npy"), encodeNpy(shape, traces));
  await writeFile(path("maps.npy"), encodeNpy([2, 1, 70, 70], maps));
});
afterAll(() => folder.dispose());

function path(name: string): string {
  return join(folder.path, name);
}

/** Same bytes. A matcher of the test runner takes a minute for what this does at once. */
async function isSame(one: string, other: string): Promise<boolean> {
  return (await readFile(path(one))).equals(await readFile(path(other)));
}

/** Runs a command that must succeed. Returns its document and what it said on stderr. */
async function epic(...args: string[]) {
  const { code, stdout, stderr } = await run([...args, "--json"]);
  expect(code, stderr).toBe(0);
  return { ...JSON.parse(stdout), stderr };
}

/** Runs a command that must fail with one line, and leave nothing. */
async function failing(args: readonly string[], code: number): Promise<string> {
  const before = (await readdir(folder.path)).sort();
  const ended = await run(args);
  expect(ended.code, ended.stderr).toBe(code);
  expect(ended.stderr.trimEnd().split("\n"), ended.stderr).toHaveLength(1);
  expect((await readdir(folder.path)).sort()).toEqual(before);
  return ended.stderr;
}

describe("epic convert", () => {
  it("goes round through SEG-Y and npz without losing a bit", async () => {
    const made = await epic("convert", path("data.npy"), path("data.sgy"));
    expect(made).toMatchObject({ kind: "records", shape, conversions: [], stderr: "" });
    expect(made.bytes).toBe(3600 + 700 * 4240);
    await epic("convert", path("data.sgy"), path("round.npz"));
    await epic("convert", `${path("round.npz")}:data`, path("round.npy"));
    expect(await isSame("round.npy", "data.npy")).toBe(true);
    await epic("convert", path("maps.npy"), path("maps.sgy"));
    const back = await epic("convert", path("maps.sgy"), path("maps-round.npy"));
    expect(back.kind).toBe("maps");
    expect(await isSame("maps-round.npy", "maps.npy")).toBe(true);
  });

  it("keeps a file's own positions, and says what it reads", async () => {
    const sources = "0,100,200,300,400";
    const args = ["--format", "ibm", "--sources", sources, "--dx-m", "5", "--dt-ms", "0.5"];
    await epic("convert", path("data.npy"), path("ibm.sgy"), ...args);
    const again = await epic("convert", path("ibm.sgy"), path("ieee.sgy"));
    expect(again.stderr).toBe(
      `epic: ${path("ibm.sgy")}: read as float32 in C order from IBM float\n`,
    );
    const seen = await epic("inspect", path("ieee.sgy"));
    expect(seen).toMatchObject({ kind: "segy", format: 5, revision: 1, intervalUs: 500, shape });
    expect(seen.sourcesM).toEqual([0, 100, 200, 300, 400]);
    expect(seen.positionsM.slice(0, 3)).toEqual([0, 5, 10]);
  });

  it("refuses what it cannot write or does not know", async () => {
    expect(await failing(["convert", path("data.npy"), path("x.csv")], 2)).toMatch(
      /out: expected a name ending in .npy, .npz, .sgy or .segy/,
    );
    await writeFile(path("cube.npy"), encodeNpy([2, 3, 4], new Float32Array(24)));
    const records = ["convert", path("cube.npy"), path("x.sgy"), "--as", "records"];
    expect(await failing(records, 1)).toMatch(/expected an array of shape .* got \(2, 3, 4\)/);
    const few = ["convert", path("data.npy"), path("x.sgy"), "--sources", "1,2"];
    expect(await failing(few, 2)).toMatch(/--sources: expected 5 positions, got 2/);
    expect(await failing([...few.slice(0, 4), "1,,2"], 2)).toMatch(/--sources: expected numbers/);
    const fine = ["convert", path("data.npy"), path("x.sgy"), "--dt-ms", "0.0003"];
    expect(await failing(fine, 1)).toMatch(/sample interval: expected 0.001 to 32.767 ms/);
    const bytes = await readFile(path("data.sgy"));
    await writeFile(path("cut.sgy"), bytes.subarray(0, -9));
    expect(await failing(["convert", path("cut.sgy"), path("x.npy")], 1)).toMatch(/cut short/);
    // The last sample is not finite: found when most of the output is written.
    bytes.writeUInt32BE(0x7f800000, bytes.length - 4);
    await writeFile(path("bad.sgy"), bytes);
    expect(await failing(["convert", path("bad.sgy"), path("x.npy")], 1)).toMatch(
      /got Infinity at record 1, shot 4, sample 999, receiver 69/,
    );
  });
});

describe("the other commands", () => {
  const model = () => ["--model", path("model")];

  it("infer gives the same maps and scores from npy and SEG-Y", async () => {
    const ways: [name: string, data: string, truth: string][] = [
      ["npy", path("data.npy"), path("maps.npy")],
      ["segy", path("data.sgy"), path("maps.sgy")],
    ];
    const results = [];
    for (const [name, data, truth] of ways) {
      results.push(
        await epic("infer", data, "--truth", truth, "-o", path(`out-${name}`), ...model()),
      );
    }
    const [first, ...others] = results;
    for (const [i, { ssim, stderr }] of others.entries()) {
      expect(ssim).toBe(first.ssim);
      expect(stderr).toBe("");
      const own = `out-${ways[i + 1]![0]}/velocity.npy`;
      expect(await isSame(own, "out-npy/velocity.npy")).toBe(true);
    }
  });

  it("encode gives the same frames", async () => {
    for (const ending of ["npy", "sgy"]) {
      const out = ["--device", "3", "-o", path(`frames-${ending}`)];
      await epic("encode", path(`data.${ending}`), ...out, ...model());
    }
    const name = "record-000001.device-3.epic";
    expect(await isSame(`frames-sgy/${name}`, `frames-npy/${name}`)).toBe(true);
  });

  it("infer refuses another survey in one line", async () => {
    await epic("convert", path("data.npy"), path("wide.sgy"), "--dx-m", "12.5");
    const line = await failing(["infer", path("wide.sgy"), ...model()], 1);
    expect(line).toMatch(/wide\.sgy: shot of .*: expected traces 1 and 2 10 m apart, got 12\.5 m/);
    expect(await failing(["infer", path("maps.sgy"), ...model()], 1)).toMatch(
      /maps\.sgy: seismic data: expected 1000 samples per trace, got 70/,
    );
  });
});
