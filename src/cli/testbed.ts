/** `epic testbed`: latency, bytes, energy and fidelity of rivals on the same records and links. */
import { join } from "node:path";
import { Command, Option } from "commander";
import { selectReceivers } from "../edge/receivers.ts";
import { makeFolder, writeFileAtomic } from "../io/atomic.ts";
import { loadModel } from "../io/modelFiles.ts";
import type { ModelConfig } from "../model/config.ts";
import { FAMILIES, velocityMap } from "../physics/families/index.ts";
import { ARMS, ArmBench, type ArmName } from "../testbed/arms.ts";
import { type Emulation, type EmulationOptions, ProxyEmulation } from "../testbed/emulation.ts";
import { CORE_SOURCE, CORE_W, RADIOS } from "../testbed/energy.ts";
import { LINKS, type LinkProfile } from "../testbed/links.ts";
import { NamespaceEmulation, whyNoNamespaces } from "../testbed/namespaces.ts";
import { testbedPng } from "../testbed/picture.ts";
import { type Sample, TestbedRun } from "../testbed/run.ts";
import { compareArms, summariseArm } from "../testbed/summary.ts";
import {
  action,
  addJsonOption,
  checkOutputFolder,
  type JsonOptions,
  MisuseError,
  type ModuleName,
  parseIntOption,
  printJson,
  progressBar,
} from "./common.ts";
import { modelShots } from "./demoInput.ts";
import { stopSignal } from "./lifetime.ts";
import { formatTestbed, type TestbedReport } from "./testbedReport.ts";

interface Options extends JsonOptions {
  link: string;
  arms: ArmName[];
  records: number;
  seed: number;
  slowdown: number[];
  emulation: "proxy" | "namespaces";
  model?: string;
  module?: ModuleName;
  out?: string;
}

export function testbedCommand(): Command {
  const command = new Command("testbed")
    .description(
      "Send the same records through rival systems over the same emulated links: five device processes,\n" +
        "one central process, MQTT, a shaping proxy per device. Prints latency, bytes at three layers,\n" +
        "energy and fidelity of each; docs/testbed.md says how each figure comes about.",
    )
    .addOption(
      new Option("--link <name>", "link profile").choices(Object.keys(LINKS)).default("4g"),
    )
    .option("--arms <list>", `which of ${ARMS.join(",")}`, parseArms, [...ARMS])
    .option("--records <n>", "records per arm", parseIntOption("--records", 1, 100_000), 10)
    .option("--seed <n>", "of maps, jitter and loss", parseIntOption("--seed", 0, 2 ** 31), 1)
    .option(
      "--slowdown <list>",
      "how many times slower than this machine each device computes: one factor, or one per device",
      parseSlowdown,
      [1],
    )
    .addOption(
      new Option(
        "--emulation <way>",
        "of the links; namespaces: real hosts and TCP, takes Linux, root and socat",
      )
        .choices(["proxy", "namespaces"])
        .default("proxy"),
    )
    .option("--out <dir>", "write testbed.json, with every record's figures, and testbed.png there")
    .option("--model <dir>", "model folder (default: the shipped weights/epic-base)")
    .addOption(
      new Option(
        "--module <name>",
        "WebAssembly module (default: the best that runs here)",
      ).choices(["scalar", "simd", "relaxed"]),
    );
  return addJsonOption(command).action(action(testbed));
}

async function testbed(options: Options): Promise<void> {
  const stop = stopSignal();
  if (options.out !== undefined) await checkOutputFolder(options.out);
  const { config, modelId, coder } = await ArmBench.load(
    await loadModel(options.model),
    options.module,
  );
  const arms = options.arms;
  if (arms.includes("epic-packed") && coder === undefined) {
    throw new MisuseError(
      "--arms: expected a model with frequency tables for epic-packed, got one without",
    );
  }
  const link = LINKS[options.link]!;
  const devices = config.geometry.devices.length;
  const slowdown = spreadSlowdown(options.slowdown, devices);
  const { seed, model, module } = options;
  const emulation = await openEmulation(options.emulation, { link, devices, seed });
  const run = await TestbedRun.start({ emulation, devices, slowdown, model, module, stop });
  let samples: Sample[];
  const truths: Float32Array[] = [];
  try {
    samples = await sendAll(run, config, options, truths);
  } finally {
    await run.close();
  }
  const report = makeReport(options, link, slowdown, samples, truths, config, {
    emulation: emulation.name,
    module: run.module,
    modelId,
  });
  if (options.out !== undefined) await writeReport(options.out, report, samples);
  if (options.json) printJson(report);
  else process.stdout.write(`${formatTestbed(report)}\n`);
}

async function openEmulation(
  way: Options["emulation"],
  options: EmulationOptions,
): Promise<Emulation> {
  if (way === "proxy") return new ProxyEmulation(options);
  const reason = await whyNoNamespaces();
  if (reason !== undefined) throw new Error(`--emulation namespaces: ${reason}`);
  return NamespaceEmulation.create(options);
}

/** Every record through every arm, one after the other; the first record once more beforehand, not counted. */
async function sendAll(
  run: TestbedRun,
  config: ModelConfig,
  { arms, records, seed }: Options,
  truths: Float32Array[],
): Promise<Sample[]> {
  const samples: Sample[] = [];
  const progress = progressBar(arms.length * (records + 1), "testbed");
  try {
    for (let record = -1; record < records; record++) {
      const index = Math.max(0, record);
      const family = FAMILIES[index % FAMILIES.length]!;
      const truth = velocityMap(family, seed, index, config.geometry.map);
      const traces = splitTraces(await modelShots(truth, config.geometry, "fast"), config);
      if (record >= 0) truths.push(truth);
      for (const arm of arms) {
        const sample = await run.transmit(arm, record, traces);
        if (record >= 0) samples.push(sample);
        progress.advance();
      }
    }
  } finally {
    progress.stop();
  }
  return samples;
}

function splitTraces(traces: Float32Array, { geometry }: ModelConfig): Float32Array[] {
  const { shots, samples, receivers, devices } = geometry;
  return devices.map((block) => {
    const own = new Float32Array(shots * samples * block.receivers);
    return selectReceivers(traces, receivers, block, own);
  });
}

function makeReport(
  { arms, records, seed }: Options,
  link: LinkProfile,
  slowdown: readonly number[],
  samples: readonly Sample[],
  truths: readonly Float32Array[],
  { geometry }: ModelConfig,
  made: Pick<TestbedReport, "emulation" | "module" | "modelId">,
): TestbedReport {
  const summaries = Object.fromEntries(
    arms.map((arm) => {
      const own = samples.filter((sample) => sample.arm === arm);
      return [arm, summariseArm(own, link, truths, geometry.map[0])];
    }),
  );
  return {
    link,
    ...made,
    radio: RADIOS[link.radio],
    core: { watts: CORE_W, source: CORE_SOURCE },
    records,
    seed,
    slowdown,
    node: process.version,
    arms: summaries,
    lessThanRaw: compareArms(summaries, "raw", link),
    lessThanRawPacked: compareArms(summaries, "raw-packed", link),
  };
}

async function writeReport(
  folder: string,
  report: TestbedReport,
  samples: readonly Sample[],
): Promise<void> {
  const raw = samples.map(({ map: _, ...figures }) => figures);
  const title = `${report.link.name}, ${report.records} records (a line for each factor of ten)`;
  await makeFolder(folder);
  const text = JSON.stringify({ ...report, samples: raw }, null, 1);
  await writeFileAtomic(join(folder, "testbed.json"), `${text}\n`);
  await writeFileAtomic(join(folder, "testbed.png"), testbedPng(title, report.arms));
}

function parseArms(text: string): ArmName[] {
  const names = text.split(",");
  for (const name of names) {
    if (!(ARMS as readonly string[]).includes(name)) {
      throw new MisuseError(`--arms: expected some of ${ARMS.join(",")}, got "${name}"`);
    }
  }
  if (new Set(names).size < names.length) {
    throw new MisuseError(`--arms: expected each arm once, got "${text}"`);
  }
  return names as ArmName[];
}

function parseSlowdown(text: string): number[] {
  const factors = text.split(",").map(Number);
  if (factors.some((factor) => !(factor >= 1 && factor <= 1000))) {
    throw new MisuseError(`--slowdown: expected factors 1 to 1000, as 1,1,2,4,8, got "${text}"`);
  }
  return factors;
}

function spreadSlowdown(factors: readonly number[], devices: number): number[] {
  if (factors.length === 1) return new Array<number>(devices).fill(factors[0]!);
  if (factors.length !== devices) {
    throw new MisuseError(`--slowdown: expected 1 or ${devices} factors, got ${factors.length}`);
  }
  return [...factors];
}
