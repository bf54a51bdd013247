/** --check, --all and --faults as a user runs them, against the library in this process. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PNG } from "pngjs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { CentralDecoder } from "../../src/central/decoder.ts";
import { combinations, decodeVariants } from "../../src/cli/variants.ts";
import { EdgeEncoder } from "../../src/edge/encoder.ts";
import { selectReceivers } from "../../src/edge/receivers.ts";
import { encodeNpy } from "../../src/io/npy.ts";
import { reliabilityCurve, scoreMap, spearman } from "../../src/metrics/index.ts";
import { velocityMap } from "../../src/physics/families/index.ts";
import { ForwardModeller } from "../../src/physics/index.ts";
import { Broker } from "../../src/transport/index.ts";
import { PhysicsCheck } from "../../src/trust/index.ts";
import { scratch, until } from "../edge/smallSurvey.ts";
import { type Running, requireBuild, run, start } from "./processes.ts";
import { writeSurveyModel } from "./surveyModel.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const count = 3;
const everyDevice = [true, true, true, true, true];
let folder: Awaited<ReturnType<typeof scratch>>;
let truths: Float32Array[];
let records: Float32Array[];
let encoder: EdgeEncoder;
let decoder: CentralDecoder;
let check: PhysicsCheck;

beforeAll(async () => {
  requireBuild();
  folder = await scratch();
  const model = await writeSurveyModel(path("model"), 1);
  encoder = await EdgeEncoder.load({ weights: model.edge, module: "scalar" });
  decoder = await CentralDecoder.load({ weights: model.central, module: "scalar" });
  check = await PhysicsCheck.load({ encoder });
  const modeller = await ForwardModeller.load({ boundary: "fast" });
  truths = Array.from({ length: count }, (_, i) => velocityMap("curvevel-b", 3, i));
  records = truths.map((map) => modeller.model(map));
  await writeFile(path("data1.npy"), encodeNpy([count, 5, 1000, 70], concat(records)));
  await writeFile(path("model1.npy"), encodeNpy([count, 1, 70, 70], concat(truths)));
});
afterAll(() => folder.dispose());

function path(name: string): string {
  return join(folder.path, name);
}

function concat(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

async function epicJson(...args: string[]) {
  const { code, stdout, stderr } = await run([...args, "--model", path("model"), "--json"]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** A device's traces of record `i`. */
function tracesOf(i: number, device: number): Float32Array {
  const block = encoder.config.geometry.devices[device]!;
  return selectReceivers(records[i]!, 70, block, new Float32Array(5 * 1000 * block.receivers));
}

function latentsOf(i: number): Int8Array {
  return Int8Array.from(
    everyDevice.flatMap((_, device) => [...encoder.encode(tracesOf(i, device), { device })]),
  );
}

/** The library's misfits and error of record `i`. */
function expected(i: number) {
  const latents = latentsOf(i);
  const map = decoder.decode(latents, { present: everyDevice }).slice();
  return {
    latentMisfit: check.latentMisfit(map, latents),
    dataMisfit: check.dataMisfit(map, records[i]!),
    ...scoreMap(map, truths[i]!),
  };
}

describe("epic infer --check", () => {
  it.each([["1"], ["2"]])("gives the library's misfits, with %s threads", async (threads) => {
    const summary = await epicJson(
      ...["infer", path("data1.npy"), "--check", "--check-boundary", "fast", "--threads", threads],
    );
    const each = truths.map((_, i) => expected(i));
    for (const [i, { latentMisfit, dataMisfit }] of each.entries()) {
      expect(summary.records[i]).toMatchObject({ latentMisfit, dataMisfit });
      expect(summary.records[i].msCheck).toBeGreaterThan(0);
    }
    const mean = each.reduce((sum, { dataMisfit }) => sum + dataMisfit, 0) / count;
    expect(summary.dataMisfit).toBeCloseTo(mean, 12);
    expect(new Set(summary.records.map((r: { dataMisfit: number }) => r.dataMisfit)).size).toBe(3);
  });

  it("shows them in the table, and nulls without --check", async () => {
    const { stdout } = await run([
      ...["infer", path("data1.npy"), "--check", "--model", path("model")],
    ]);
    expect(stdout).toMatch(/^record {2}latent misfit {2}data misfit/);
    expect(await epicJson("infer", path("data1.npy"))).toMatchObject({
      latentMisfit: null,
      dataMisfit: null,
      msCheck: null,
    });
  });

  it("models with the boundary that is asked for", async () => {
    const other = await epicJson("infer", path("data1.npy"), "--check");
    const fast = await epicJson(
      ...["infer", path("data1.npy"), "--check", "--check-boundary", "fast"],
    );
    expect(other.dataMisfit).not.toBe(fast.dataMisfit);
    expect(other.dataMisfit).toBeCloseTo(fast.dataMisfit, 1);
  });
});

describe("epic eval --check", () => {
  it("ranks the records by each misfit, and writes the reliability curve", async () => {
    const made = ["eval", "--family", "curvevel-b", "-n", `${count}`, "--seed", "3"];
    const summary = await epicJson(
      ...[...made, "--boundary", "fast", "--check", "-o", path("out")],
    );
    const each = truths.map((_, i) => expected(i));
    const errors = each.map(({ mae }) => mae);
    for (const key of ["latentMisfit", "dataMisfit"] as const) {
      const misfits = each.map((one) => one[key]);
      const family = summary.families["curvevel-b"];
      expect(family[key]).toBeCloseTo(misfits.reduce((a, b) => a + b) / count, 12);
      expect(family.spearman[key]).toBe(spearman(misfits, errors));
      expect(summary.check.spearman[key]).toBe(spearman(misfits, errors));
      const mps = each.map(({ maeMps }) => maeMps);
      expect(summary.check.reliability[key]).toEqual(reliabilityCurve(misfits, mps, 10));
    }
    expect(summary.check.boundary).toBe("fast");
    expect(JSON.parse(await readFile(path("out/eval.json"), "utf8"))).toEqual(summary);
    const picture = PNG.sync.read(await readFile(path("out/reliability.png")));
    expect(picture.width).toBeGreaterThan(1000);
  });
});

describe("epic eval --all", () => {
  it("scores every family on the test seed, whole and with faults", async () => {
    const summary = await epicJson("eval", "--all", "-n", "2", "--boundary", "fast");
    expect(summary).toMatchObject({ seed: 3001, boundary: "fast" });
    expect(Object.keys(summary.families)).toHaveLength(10);
    const again = await epicJson(
      ...["eval", "--family", "style-b", "-n", "2", "--seed", "3001", "--boundary", "fast"],
    );
    const { variants, ...whole } = summary.families["style-b"];
    expect(again.families["style-b"]).toEqual(whole);
    expect(variants).toMatchObject({
      bits4: { n: 2 },
      missing1: { n: 10, worst: { device: expect.any(Number) } },
      missing2: { n: 2 },
      missing3: { n: 2 },
    });
    expect(variants.missing1.worst.ssim).toBeLessThanOrEqual(variants.missing1.ssim);
    const means = Object.values<{ ssim: number }>(summary.families).map(({ ssim }) => ssim);
    expect(summary.mean.ssim).toBeCloseTo(means.reduce((a, b) => a + b) / 10, 12);
  });

  it("refuses a folder or families beside it", async () => {
    for (const more of [["somewhere"], ["--family", "style-a"]]) {
      const { code, stderr } = await run(["eval", "--all", ...more]);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^epic: eval: expected .*, got both\n$/);
    }
  });
});

describe("variants of a record", () => {
  it("are the decoder's maps without the named devices", () => {
    const latents = latentsOf(0);
    const variants = decodeVariants(decoder, latents, 13);
    const singles = variants.filter(({ name }) => name === "missing1");
    expect(singles.map(({ missing }) => missing)).toEqual([[0], [1], [2], [3], [4]]);
    const pair = variants.find(({ name }) => name === "missing2")!;
    expect(pair.missing).toEqual(combinations(5, 2)[13 % 10]);
    const present = everyDevice.map((_, device) => !pair.missing.includes(device));
    expect(pair.map).toEqual(decoder.decode(latents, { present }).slice());
    // Ties go to the even step.
    const coarse = latents.map((code) => {
      const step = Math.round(code / 18);
      return 18 * (Math.abs(code % 18) === 9 && step % 2 !== 0 ? step - 1 : step);
    });
    expect(variants[0]!.name).toBe("bits4");
    expect(variants[0]!.map).toEqual(decoder.decode(coarse, { present: everyDevice }).slice());
  });

  it("choose among all pairs and triples", () => {
    expect(combinations(4, 2)).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 2],
      [1, 3],
      [2, 3],
    ]);
    expect(combinations(5, 3)).toHaveLength(10);
    expect(combinations(2, 3)).toEqual([]);
  });
});

describe("epic central --check", () => {
  it("writes the library's latentMisfit into record.json, over the devices present", async () => {
    const broker = await Broker.start({ port: 0 });
    const running: Running[] = [];
    const common = ["--broker", broker.url, "--survey", "line", "--model", path("model")];
    try {
      const results = ["--out", path("results"), "--deadline", "60000", "--http", "0"];
      const node = start([
        ...["central", ...common, ...results, "--check", "--check-boundary", "fast"],
      ]);
      running.push(node);
      const devices = [0, 1, 2, 3, 4];
      for (const device of devices) {
        const places = ["--source", path(`s${device}`), "--outbox", path(`o${device}`)];
        await writeTraces(device);
        running.push(start(["edge", ...common, "--device", `${device}`, ...places, "--once"]));
      }
      let document: Record<string, unknown> = {};
      await until(async () => {
        const text = await readFile(path("results/1/record.json"), "utf8").catch(() => "{}");
        document = JSON.parse(text);
        return document.revision !== undefined;
      }, 120_000);
      const { latentMisfit } = expected(1);
      expect(document).toMatchObject({
        devicesPresent: devices,
        latentMisfit,
        check: { boundary: "fast" },
      });
      const port = /"http":(\d+)/.exec(node.stderr())![1];
      const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      expect(metrics).toMatch(/^epic_latent_misfit_count 1$/m);
    } finally {
      for (const { child, ended } of running) {
        child.kill("SIGKILL");
        await ended;
      }
      await broker.close();
    }
  });
});

/** Record 1 as the device finds it. */
async function writeTraces(device: number): Promise<void> {
  await mkdir(path(`s${device}`), { recursive: true });
  await writeFile(path(`s${device}/1.npy`), encodeNpy([5, 1000, 14], tracesOf(1, device)));
}
