/** infer, encode, decode and eval as a user runs them, against the library in this process. */
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PNG } from "pngjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CentralDecoder } from "../../src/central/decoder.ts";
import { EdgeEncoder } from "../../src/edge/encoder.ts";
import { encodeNpy, readNpy } from "../../src/io/npy.ts";
import { mae, rmse, scoreMap } from "../../src/metrics/index.ts";
import { velocityMap } from "../../src/physics/families/index.ts";
import { ForwardModeller } from "../../src/physics/index.ts";
import { decodeFrame } from "../../src/protocol/index.ts";
import { scratch } from "../edge/smallSurvey.ts";
import { type TinyModel, tinyModel } from "../library/tinyModel.ts";
import { requireBuild, run } from "./processes.ts";
import { SURVEY, writeSurveyModel } from "./surveyModel.ts";

const count = 3;
const mapLength = 4900;
let folder: Awaited<ReturnType<typeof scratch>>;
let model: TinyModel;
let truths: Float32Array[];
let records: Float32Array[];
/** What the library makes of each record, with all devices and without 2 and 4. */
let maps: Float32Array[];
let mapsWithout: Float32Array[];

function path(name: string): string {
  return join(folder.path, name);
}

/** Runs a command that must succeed, with the test's model. */
async function epic(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await run([...args, "--model", path("model")]);
  expect(code, stderr).toBe(0);
  return { stdout, stderr };
}

async function epicJson(...args: string[]) {
  const { stdout, stderr } = await epic(...args, "--json");
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

beforeAll(async () => {
  requireBuild();
  folder = await scratch();
  model = await writeSurveyModel(path("model"), 1);
  const modeller = await ForwardModeller.load({ boundary: "fast" });
  truths = Array.from({ length: count }, (_, i) => velocityMap("curvevel-b", 3, i));
  records = truths.map((map) => modeller.model(map));
  await mkdir(path("set"));
  await writeFile(path("set/data1.npy"), encodeNpy([count, 5, 1000, 70], concat(records)));
  await writeFile(path("set/model1.npy"), encodeNpy([count, 1, 70, 70], concat(truths)));
  maps = await inferHere([true, true, true, true, true]);
  mapsWithout = await inferHere([true, true, false, true, false]);
});
afterAll(() => folder.dispose());

function concat(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

async function inferHere(present: boolean[]): Promise<Float32Array[]> {
  const encoder = await EdgeEncoder.load({ weights: model.edge, module: "scalar" });
  const decoder = await CentralDecoder.load({ weights: model.central, module: "scalar" });
  return records.map((record) => {
    const latents = model.config.geometry.devices.flatMap(({ firstReceiver }, device) => {
      const traces = record.filter((_, i) => {
        const receiver = (i % 70) - firstReceiver;
        return receiver >= 0 && receiver < 14;
      });
      return [...encoder.encode(traces, { device })];
    });
    return decoder.decode(Int8Array.from(latents), { present }).slice();
  });
}

describe("epic infer", () => {
  it("gives the library's maps, scores and costs, and writes them", async () => {
    const summary = await epicJson(
      ...["infer", path("set/data1.npy"), "--truth", path("set/model1.npy"), "-o", path("out")],
    );
    const scores = maps.map((map, i) => scoreMap(map, truths[i]!));
    const latentBytes = model.config.latent.slots * model.config.latent.channels;
    expect(summary).toMatchObject({
      n: count,
      devicesPresent: 5,
      payloadBytes: 5 * latentBytes,
      rawBytes: 1_400_000,
      rmse: expect.closeTo(rmse(concat(maps), concat(truths)), 9),
      mae: expect.closeTo(mae(concat(maps), concat(truths)), 9),
      maeMps: expect.closeTo(1500 * mae(concat(maps), concat(truths)), 6),
      ssim: expect.closeTo(scores.reduce((sum, { ssim }) => sum + ssim, 0) / count, 9),
      records: scores.map((score, record) => ({ record, ...score })),
    });
    expect(summary.wireBytes).toBeGreaterThan(summary.payloadBytes + 5 * 64);
    expect(summary.msEncode).toBeGreaterThan(0);
    expect(summary.msDecode).toBeGreaterThan(0);
    expect(summary.modelId).toMatch(/^[0-9a-f]{16}$/);

    expect((await readdir(path("out"))).sort()).toEqual([
      "maps.png",
      "result.json",
      "velocity.npy",
    ]);
    expect(await readNpy(path("out/velocity.npy"))).toEqual({
      shape: [count, 1, 70, 70],
      data: concat(maps),
    });
    expect(JSON.parse(await readFile(path("out/result.json"), "utf8"))).toEqual(summary);
    expect(PNG.sync.read(await readFile(path("out/maps.png"))).width).toBeGreaterThan(2000);
  });

  it.each([["--threads", "3"], ["--module", "scalar"], ["--turbo"]])(
    "gives the same bits with %s %s",
    async (...options) => {
      const given = options.filter((option) => option !== undefined);
      const { stderr } = await epic("infer", path("set/data1.npy"), "-o", path("same"), ...given);
      expect((await readNpy(path("same/velocity.npy"))).data).toEqual(concat(maps));
      const noted = given.includes("--turbo") && Number.parseInt(process.versions.node, 10) < 24;
      expect(stderr).toBe(
        noted
          ? `epic: turbo: expected Node 24 or later, got ${process.versions.node}; running without it\n`
          : "",
      );
    },
  );

  it("prints a table, and null scores without truth", async () => {
    const { stdout } = await epic("infer", path("set/data1.npy"));
    expect(stdout).toMatch(/^record {4}encode {4}decode\n0 .* ms\n1 .* ms\n2 .* ms\nall .* ms\n/);
    expect(stdout).not.toContain("SSIM");
    expect(await epicJson("infer", path("set/data1.npy"))).toMatchObject({ ssim: null, mae: null });
  });
});

describe("epic encode and decode", () => {
  beforeAll(async () => {
    for (const device of [0, 1, 2, 3, 4]) {
      const args = ["--device", `${device}`, "-o", path("frames"), "--threads", "2"];
      await epic("encode", path("set/data1.npy"), ...args);
    }
  });
  const frames = (...devices: number[]) =>
    Array.from({ length: count }, (_, record) =>
      devices.map((device) => path(`frames/record-00000${record}.device-${device}.epic`)),
    ).flat();

  it("write one frame per record, and together give infer's maps in any order", async () => {
    expect((await readdir(path("frames"))).length).toBe(5 * count);
    const shuffled = frames(3, 1, 4, 0, 2).toReversed();
    const summary = await epicJson("decode", ...shuffled, "-o", path("maps.npy"));
    expect(summary.records.map((line: { record: string }) => line.record)).toEqual(["0", "1", "2"]);
    expect(await readNpy(path("maps.npy"))).toEqual({
      shape: [count, 1, 70, 70],
      data: concat(maps),
    });
  });

  it("decode what is there when devices are absent, in workers too", async () => {
    const args = ["-o", path("maps.npy"), "--threads", "2"];
    const summary = await epicJson("decode", ...frames(0, 1, 3), ...args);
    expect(summary.records).toMatchObject(Array(count).fill({ devicesPresent: 3 }));
    expect((await readNpy(path("maps.npy"))).data).toEqual(concat(mapsWithout));
  });

  it("state the device's place in the frame, and take the device's own receivers", async () => {
    const own = records[1]!.filter((_, i) => i % 70 >= 14 && i % 70 < 28);
    await writeFile(path("own.npy"), encodeNpy([1, 5, 1000, 14], own));
    const args = ["--device", "1", "--survey", "line-7", "--first-record", "1000000", "-o"];
    await epic("encode", path("own.npy"), ...args, path("own"));
    const frame = decodeFrame(await readFile(path("own/record-1000000.device-1.epic")));
    expect(frame).toMatchObject({
      ...{ survey: "line-7", record: 1_000_000n, device: 1, devices: 5 },
      ...{ firstReceiver: 14, receivers: 14, acquiredNs: 0n },
    });
    const other = decodeFrame(await readFile(frames(1)[1]!));
    expect(frame.latent).toEqual(other.latent);
  });

  it("go through entropy coding as through 4 bits, and take the tables from the model", async () => {
    for (const name of ["4bit", "entropy"]) {
      for (const device of [0, 1, 2, 3, 4]) {
        const args = ["--device", `${device}`, "--encoding", name, "-o", path(name)];
        await epic("encode", path("set/data1.npy"), ...args);
      }
      const files = (await readdir(path(name))).map((file) => path(`${name}/${file}`));
      await epic("decode", ...files, "-o", path(`${name}.npy`));
    }
    const [bits, entropy] = await Promise.all([
      readNpy(path("4bit.npy")),
      readNpy(path("entropy.npy")),
    ]);
    expect(entropy.data).toEqual(bits.data);
    const bytes = await readFile(path("entropy/record-000000.device-0.epic"));
    const coder = (await EdgeEncoder.load({ weights: model.edge })).coder;
    const other = await readFile(path("4bit/record-000000.device-0.epic"));
    expect(decodeFrame(bytes, coder).latent).toEqual(decodeFrame(other).latent);
  });

  it("refuse entropy coding with a model that has no tables, in one line", async () => {
    await mkdir(path("bare"));
    await writeFile(path("bare/edge.safetensors"), tinyModel(SURVEY, 1, { tables: false }).edge);
    const args = [
      "--device",
      "0",
      "--encoding",
      "entropy",
      "-o",
      path("none"),
      "--model",
      path("bare"),
    ];
    const { code, stderr } = await run(["encode", path("set/data1.npy"), ...args]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      "epic: frame: encoding 2 (entropy): expected a model with frequency tables, got one without\n",
    );
  });

  it("halve the payload with --encoding 4bit, or --bits 4", async () => {
    const args = ["--device", "0", "--bits", "4", "-o", path("nibbles")];
    const summary = await epicJson("encode", path("set/data1.npy"), ...args);
    const values = model.config.latent.slots * model.config.latent.channels;
    expect(summary).toMatchObject({ n: count, frameBytes: 64 + values / 2, rawBytes: 280_000 });
  });
});

describe("epic eval", () => {
  it("scores a folder by OpenFWI's names, whatever the threads", async () => {
    const { families } = await epicJson("eval", path("set"), "--threads", "2");
    expect(families).toEqual({
      set: {
        n: count,
        ssim: expect.closeTo(scoreAll(maps).ssim, 9),
        mae: expect.closeTo(mae(concat(maps), concat(truths)), 9),
        rmse: expect.closeTo(rmse(concat(maps), concat(truths)), 9),
        maeMps: expect.closeTo(1500 * mae(concat(maps), concat(truths)), 6),
      },
    });
    expect((await epicJson("eval", path("set"), "--threads", "1")).families).toEqual(families);
    const limited = await epicJson("eval", path("set"), "-n", "2");
    expect(limited.families.set).toMatchObject({ n: 2 });
  });

  it("finds Fault files and data/model folders below one folder", async () => {
    const one = (values: Float32Array, shape: number[]) => encodeNpy([1, ...shape], values);
    const data = one(records[0]!, [5, 1000, 70]);
    const truth = one(truths[0]!, [1, 70, 70]);
    await mkdir(path("many/FlatFault_A"), { recursive: true });
    await writeFile(path("many/FlatFault_A/seis2_1_0.npy"), data);
    await writeFile(path("many/FlatFault_A/vel2_1_0.npy"), truth);
    for (const name of ["data", "model"]) {
      await mkdir(path(`many/FlatVel_A/${name}`), { recursive: true });
    }
    for (const i of [2, 10]) {
      await writeFile(path(`many/FlatVel_A/data/data${i}.npy`), data);
      await writeFile(path(`many/FlatVel_A/model/model${i}.npy`), truth);
    }
    const { families } = await epicJson("eval", path("many"));
    const { mae: expected } = scoreMap(maps[0]!, truths[0]!);
    expect(families).toMatchObject({
      FlatFault_A: { n: 1, mae: expect.closeTo(expected, 9) },
      FlatVel_A: { n: 2, mae: expect.closeTo(expected, 9) },
    });
    await rename(path("many/FlatVel_A/model/model10.npy"), path("many/away.npy"));
    const { code } = await run(["eval", path("many"), "--model", path("model")]);
    expect(code).toBe(1);
  });

  it("makes families on the spot, as simulate would", async () => {
    const made = await epicJson(
      ...["eval", "--family", "curvevel-b", "-n", `${count}`, "--seed", "3", "--boundary", "fast"],
    );
    const { families } = await epicJson("eval", path("set"));
    expect(made).toMatchObject({ seed: 3, boundary: "fast" });
    expect(made.families).toEqual({ "curvevel-b": families.set });
  });
});

function scoreAll(predictions: readonly Float32Array[]): { ssim: number } {
  const sum = predictions.reduce((total, map, i) => total + scoreMap(map, truths[i]!).ssim, 0);
  expect(predictions[0]).toHaveLength(mapLength);
  return { ssim: sum / predictions.length };
}
