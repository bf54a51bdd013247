/** `epic demo` as a user runs it: the built program, real processes, real sockets. */
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CentralDecoder } from "../../src/central/decoder.ts";
import { modelShots } from "../../src/cli/demoInput.ts";
import { EdgeEncoder } from "../../src/edge/encoder.ts";
import { selectReceivers } from "../../src/edge/receivers.ts";
import { encodeNpy, readNpy } from "../../src/io/npy.ts";
import { scoreMap } from "../../src/metrics/index.ts";
import { velocityMap } from "../../src/physics/families/index.ts";
import { decodePayload, encodePayload } from "../../src/protocol/index.ts";
import { scratch, until } from "../edge/smallSurvey.ts";
import type { TinyModel } from "../library/tinyModel.ts";
import { requireBuild, run, start } from "./processes.ts";
import { writeSurveyModel } from "./surveyModel.ts";

const slowMs = 120_000;
let folder: Awaited<ReturnType<typeof scratch>>;
let model: TinyModel;
let modelFolder: string;
/** Where the demo makes its scratch folder: nothing may stay there. */
let temporary: string;

beforeAll(async () => {
  requireBuild();
  folder = await scratch();
  modelFolder = join(folder.path, "model");
  temporary = join(folder.path, "tmp");
  await mkdir(temporary);
  model = await writeSurveyModel(modelFolder, 1);
});
afterAll(() => folder.dispose());

describe("epic demo", () => {
  it(
    "gives the map that the library gives, and says what it cost",
    async () => {
      const out = join(folder.path, "out");
      const options = ["--family", "flatvel-a", "--seed", "5", "--module", "scalar"];
      const ended = await demo([...options, "--out", out, "--json"]);
      expect(ended).toMatchObject({ code: 0, stderr: "" });
      const summary = JSON.parse(ended.stdout);

      const truth = velocityMap("flatvel-a", 5, 0);
      const map = await inThisProcess(truth);
      expect(await readNpy(join(out, "truth.npy"))).toEqual({ shape: [70, 70], data: truth });
      expect(await readNpy(join(out, "velocity.npy"))).toEqual({ shape: [70, 70], data: map });

      const latentBytes = model.config.latent.slots * model.config.latent.channels;
      const { modelId } = await EdgeEncoder.load({ weights: model.edge });
      expect(summary).toMatchObject({
        ...scoreMap(map, truth),
        devicesPresent: 5,
        payloadBytes: 5 * latentBytes,
        frameBytes: 5 * (latentBytes + 64),
        rawBytes: 1_400_000,
        module: "scalar",
        modelId,
      });
      expect(summary.mqttBytes).toBeGreaterThan(summary.frameBytes);
      expect(summary.wireBytes).toBeGreaterThan(summary.mqttBytes);
      expect(summary.wireBytes).toBeLessThan(summary.rawBytes / 20);
      for (const ms of [summary.msEncode, summary.msDecode, ...Object.values(summary.stages)]) {
        expect(ms).toBeGreaterThanOrEqual(0);
      }
      expect(summary.devices.map(({ device }: { device: number }) => device)).toEqual([
        0, 1, 2, 3, 4,
      ]);

      expect((await readdir(out)).sort()).toEqual([
        "maps.png",
        "report.html",
        "truth.npy",
        "velocity.npy",
      ]);
      const png = await readFile(join(out, "maps.png"));
      expect(png.subarray(1, 4).toString()).toBe("PNG");
      const report = await readFile(join(out, "report.html"), "utf8");
      expect(report).toContain(summary.ssim.toFixed(4));
      expect(report).not.toMatch(/(src|href)="https?:/);
      await nothingLeft();
    },
    slowMs,
  );

  it(
    "sends entropy-coded latents with --encoding entropy",
    async () => {
      const out = join(folder.path, "entropy");
      const options = ["--seed", "6", "--module", "scalar", "--encoding", "entropy"];
      const ended = await demo([...options, "--out", out, "--json"]);
      expect(ended).toMatchObject({ code: 0, stderr: "" });
      const bitsOf = (latent: Int8Array) => decodePayload(encodePayload(latent, 1), 1);
      const map = await inThisProcess(velocityMap("curvevel-a", 6, 0), bitsOf);
      expect((await readNpy(join(out, "velocity.npy"))).data).toEqual(map);
    },
    slowMs,
  );

  it(
    "takes the user's map, and tells a person",
    async () => {
      const truth = velocityMap("style-a", 1, 2);
      const path = join(folder.path, "map.npy");
      await writeFile(path, encodeNpy([1, 1, 70, 70], truth));
      const out = join(folder.path, "out-map");
      const { code, stdout, stderr } = await demo(["--map", path, "--out", out]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(/model the shots.*\n/);
      expect(stdout).toMatch(/score +SSIM [\d.-]+, MAE/);
      expect((await readNpy(join(out, "truth.npy"))).data).toEqual(truth);
    },
    slowMs,
  );

  it(
    "stops at a signal and leaves nothing behind",
    async () => {
      const out = join(folder.path, "out-stopped");
      const running = start(["demo", "--model", modelFolder, "--out", out], { TMPDIR: temporary });
      const { pid } = running.child;
      await until(() => childrenOf(pid!).length === 6, slowMs);
      const children = childrenOf(pid!);
      running.child.kill("SIGINT");
      const { code, stdout, stderr } = await running.ended;
      expect({ code, stdout, stderr }).toEqual({
        code: 1,
        stdout: "",
        stderr: "epic: demo: interrupted\n",
      });
      expect(children.filter(isAlive)).toEqual([]);
      await nothingLeft();
    },
    slowMs,
  );

  it(
    "leaves no child behind when it is killed",
    async () => {
      const out = join(folder.path, "out-killed");
      // Its scratch folder stays, for the system to clear: nobody was left to do it.
      const running = start(["demo", "--model", modelFolder, "--out", out], {
        TMPDIR: folder.path,
      });
      const { pid } = running.child;
      await until(() => childrenOf(pid!).length === 6, slowMs);
      const children = childrenOf(pid!);
      running.child.kill("SIGKILL");
      await running.ended;
      await until(() => children.every((child) => !isAlive(child)), 30_000);
    },
    slowMs,
  );
});

describe("epic demo refuses in one line", () => {
  const bad: [name: string, code: number, line: RegExp, args: () => Promise<string[]>][] = [
    ["an unknown family", 2, /flatvel-z/, async () => ["--family", "flatvel-z"]],
    ["a seed that is none", 2, /--seed: expected .*, got "x"/, async () => ["--seed", "x"]],
    [
      "family and map",
      2,
      /expected --family or --map, got both/,
      async () => ["--family", "style-a", "--map", await mapFile("both", [70, 70], 2000)],
    ],
    [
      "a map of another shape",
      1,
      /expected .*\(N, 1, 70, 70\).*got .*64/,
      async () => ["--map", await mapFile("shape", [64, 64], 2000)],
    ],
    [
      "a map of other values",
      1,
      /expected 1500 to 4500 m\/s, got 9000 at row 0, column 0/,
      async () => ["--map", await mapFile("values", [70, 70], 9000)],
    ],
    ["a missing map", 1, /no such file/, async () => ["--map", join(folder.path, "none.npy")]],
    [
      "missing weights",
      1,
      /model: expected weights at .*edge\.safetensors, got no such file/,
      async () => ["--model", join(folder.path, "none")],
    ],
    [
      "halves of two models",
      1,
      /model: expected a central half for [0-9a-f]{16}, got one for [0-9a-f]{16}/,
      async () => {
        const mixed = join(folder.path, "mixed");
        const other = await writeSurveyModel(mixed, 2);
        expect(other.central).not.toEqual(model.central);
        await writeFile(join(mixed, "central.safetensors"), model.central);
        return ["--model", mixed];
      },
    ],
    [
      "a file where the results should go",
      2,
      /expected a folder, got a file/,
      async () => ["--out", await mapFile("out", [70, 70], 2000)],
    ],
  ];

  it.each(bad)(
    "%s",
    async (_name, code, line, args) => {
      const ended = await demo(["--out", join(folder.path, "out-bad"), ...(await args())]);
      expect(ended).toMatchObject({ code, stdout: "" });
      expect(ended.stderr).toMatch(line);
      expect(ended.stderr.trim().split("\n").length).toBe(1);
      await nothingLeft();
    },
    slowMs,
  );

  it(
    "a port that is taken",
    async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as { port: number };
      const ended = await demo(["--out", join(folder.path, "out-bad"), "--port", `${port}`]);
      server.close();
      expect(ended).toMatchObject({
        code: 1,
        stdout: "",
        stderr: `epic: broker: expected a free port, got 127.0.0.1:${port} (already in use)\n`,
      });
      await nothingLeft();
    },
    slowMs,
  );
});

/** Runs the demo with the small model unless the arguments name another. */
function demo(args: readonly string[]) {
  const modelArgs = args.includes("--model") ? [] : ["--model", modelFolder];
  return run(["demo", ...modelArgs, ...args], { TMPDIR: temporary });
}

/** The same record through the library, without processes, frames or network. */
async function inThisProcess(
  truth: Float32Array,
  carry: (latent: Int8Array) => Int8Array = (latent) => latent,
): Promise<Float32Array> {
  const encoder = await EdgeEncoder.load({ weights: model.edge, module: "scalar" });
  const decoder = await CentralDecoder.load({ weights: model.central, module: "scalar" });
  const { geometry, latent } = model.config;
  const traces = await modelShots(truth, geometry, "fast");
  const length = latent.slots * latent.channels;
  const latents = new Int8Array(geometry.devices.length * length);
  for (const [device, block] of geometry.devices.entries()) {
    const own = new Float32Array(geometry.shots * geometry.samples * block.receivers);
    selectReceivers(traces, geometry.receivers, block, own);
    latents.set(carry(encoder.encode(own, { device })), device * length);
  }
  return decoder.decode(latents);
}

async function mapFile(name: string, shape: number[], velocity: number): Promise<string> {
  const path = join(folder.path, `${name}.npy`);
  await writeFile(path, encodeNpy(shape, new Float32Array(shape[0]! * shape[1]!).fill(velocity)));
  return path;
}

async function nothingLeft(): Promise<void> {
  expect(await readdir(temporary)).toEqual([]);
}

/** Process ids of a process's children. */
function childrenOf(pid: number): number[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).split("\n");
  return lines
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child!);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
