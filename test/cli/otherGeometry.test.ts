/** A model of another survey through every command: nothing but its config says what the sizes are. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CentralDecoder, EdgeEncoder } from "../../src/index.ts";
import { readNpy } from "../../src/io/npy.ts";
import { FAMILIES, ForwardModeller, lineSurvey, velocityMap } from "../../src/physics/index.ts";
import { scratch } from "../edge/smallSurvey.ts";
import { type TinyModel, tinyModel, UNEVEN } from "../library/tinyModel.ts";
import { requireBuild, run } from "./processes.ts";

const slowMs = 180_000;
const shots = 3;
const samples = 500;
const receivers = 48;
const grid = [48, 48] as const;
let folder: Awaited<ReturnType<typeof scratch>>;
let model: TinyModel;
let truth: Float32Array;
let record: Float32Array;
let latents: Int8Array;
let map: Float32Array;

function path(...names: string[]): string {
  return join(folder.path, ...names);
}

async function epicJson(...args: string[]) {
  const { code, stdout, stderr } = await run([...args, "--model", path("model"), "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

beforeAll(async () => {
  requireBuild();
  folder = await scratch();
  model = tinyModel(UNEVEN, 5);
  await mkdir(path("model"));
  await writeFile(path("model", "edge.safetensors"), model.edge);
  await writeFile(path("model", "central.safetensors"), model.central);
  const { geometry } = model.config;
  truth = velocityMap("curvevel-a", 9, 0, grid);
  const survey = lineSurvey(geometry);
  const modeller = await ForwardModeller.load({ boundary: "fast", geometry: survey });
  record = modeller.model(truth);
  const encoder = await EdgeEncoder.load({ weights: model.edge, module: "scalar" });
  latents = Int8Array.from(
    geometry.devices.flatMap(({ firstReceiver, receivers: count }, device) => {
      const traces = record.filter((_, i) => {
        const receiver = (i % receivers) - firstReceiver;
        return receiver >= 0 && receiver < count;
      });
      return [...encoder.encode(traces, { device })];
    }),
  );
  const decoder = await CentralDecoder.load({ weights: model.central, module: "scalar" });
  map = decoder.decode(latents).slice();
}, slowMs);
afterAll(() => folder.dispose());

describe("a survey of 3 shots, 500 samples, 48 receivers in 4 unequal blocks, a map of 48 x 48", () => {
  it("is simulated from the model, and from its geometry before there is a model", async () => {
    const family = ["simulate", "--family", "curvevel-a", "--seed", "9", "-n", "1"];
    const options = ["--boundary", "fast", "--threads", "1"];
    await epicJson(...family, ...options, "-o", path("data"));
    const data = await readNpy(path("data", "data1.npy"));
    expect(data).toEqual({ shape: [1, shots, samples, receivers], data: record });
    expect(await readNpy(path("data", "model1.npy"))).toEqual({
      shape: [1, 1, ...grid],
      data: truth,
    });
    await writeFile(path("survey.json"), JSON.stringify({ geometry: model.config.geometry }));
    const survey = ["--survey", path("survey.json"), "-o", path("again")];
    const ended = await run([...family, ...options, ...survey]);
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(await readNpy(path("again", "data1.npy"))).toEqual(data);
    // Another survey does not continue this one's folder.
    const other = { ...model.config.geometry, peakHz: 20 };
    await writeFile(path("survey.json"), JSON.stringify(other));
    expect((await run([...family, ...options, ...survey])).code).toBe(1);
  });

  it("has its maps written without records", async () => {
    await epicJson(
      ...["maps", "--family", "curvevel-a", "--seed", "9", "-n", "1", "-o", path("map.npy")],
    );
    expect(await readNpy(path("map.npy"))).toEqual({ shape: [1, 1, ...grid], data: truth });
  });

  it("goes through infer with scores", async () => {
    const summary = await epicJson(
      ...["infer", path("data", "data1.npy"), "--truth", path("data", "model1.npy")],
      ...["-o", path("maps")],
    );
    expect(summary).toMatchObject({
      devicesPresent: 4,
      payloadBytes: 4 * 8 * 16,
      rawBytes: 4 * record.length,
    });
    const [name] = (await readdir(path("maps"))).filter((file) => file.endsWith(".npy"));
    expect((await readNpy(path("maps", name!))).data).toEqual(map);
  });

  it("goes through encode and decode, over files", async () => {
    const frames: string[] = [];
    for (const device of [0, 1, 2, 3]) {
      const out = ["-o", path("frames"), "--device", `${device}`];
      await epicJson("encode", path("data", "data1.npy"), ...out);
      frames.push(path("frames", `record-000000.device-${device}.epic`));
    }
    await epicJson("decode", ...frames, "-o", path("decoded.npy"));
    expect((await readNpy(path("decoded.npy"))).data).toEqual(map);
  });

  it(
    "goes through the demo's processes, one edge for each of its devices",
    async () => {
      const summary = await epicJson(
        ...["demo", "--family", "curvevel-a", "--seed", "9", "--out", path("demo")],
      );
      expect(summary.devices).toHaveLength(4);
      expect(summary).toMatchObject({ devicesPresent: 4, rawBytes: 4 * record.length });
      expect(await readNpy(path("demo", "velocity.npy"))).toEqual({ shape: grid, data: map });
      expect(await readNpy(path("demo", "truth.npy"))).toEqual({ shape: grid, data: truth });
      expect(await readFile(path("demo", "report.html"), "utf8")).toContain("3 shots");
    },
    slowMs,
  );

  it("is evaluated on any family", async () => {
    const { families } = await epicJson(
      ...["eval", "--family", "flatvel-b", "-n", "1", "--seed", "2"],
    );
    expect(families["flatvel-b"]).toMatchObject({ n: 1 });
  });

  it("refuses records of another survey", async () => {
    const other = tinyModel({ ...UNEVEN, samples: 504 }, 5);
    await mkdir(path("other"));
    await writeFile(path("other", "edge.safetensors"), other.edge);
    await writeFile(path("other", "central.safetensors"), other.central);
    const { code, stderr } = await run([
      ...["infer", path("data", "data1.npy"), "--model", path("other")],
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/expected .*504.*got.*500/);
  });
});

describe("velocityMap on another grid", () => {
  it("shows the same velocities at the same places", () => {
    for (const family of FAMILIES) {
      const full = velocityMap(family, 4, 1);
      const half = velocityMap(family, 4, 1, [35, 35]);
      expect(half).toHaveLength(35 * 35);
      half.forEach((velocity, at) => {
        const [row, column] = [Math.floor(at / 35), at % 35];
        expect(velocity).toBe(full[(2 * row + 1) * 70 + 2 * column + 1]);
      });
      expect(velocityMap(family, 4, 1, [70, 70])).toEqual(full);
    }
  });
});
