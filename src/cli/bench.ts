/** `epic bench`: kernels and stages on this machine. */
import { cpus } from "node:os";
import { Command } from "commander";
import type { ModuleName } from "../engine/kernels.ts";
import { formatCount, formatMs } from "../io/format.ts";
import { loadModel } from "../io/modelFiles.ts";
import {
  type BenchResult,
  benchKernels,
  selectCases,
  supportedModules,
} from "../testbed/bench/benchKernels.ts";
import { benchStages, type StageName, stageNames } from "../testbed/bench/benchStages.ts";
import type { TimingOptions } from "../testbed/bench/timing.ts";
import { benchThreads } from "./benchThreads.ts";
import {
  action,
  addComputeOptions,
  addJsonOption,
  type ComputeOptions,
  type JsonOptions,
  MisuseError,
  parseIntOption,
  prepareTurbo,
  printJson,
  progressBar,
} from "./common.ts";
import { formatFacts, formatTable } from "./table.ts";

const moduleNames: readonly ModuleName[] = ["scalar", "simd", "relaxed"];

interface Options extends ComputeOptions, JsonOptions {
  rounds: number;
  ms: number;
}

/** What a list of names asks for. */
interface Selection {
  readonly stages: readonly StageName[];
  /** Parts of kernel or case names; empty for all; undefined for none. */
  readonly kernels: readonly string[] | undefined;
}

export function benchCommand(): Command {
  const command = new Command("bench")
    .description(
      "Time kernels and the stages encoder, central, decoder and full. Outputs are compared with " +
        "the scalar module's before kernels are timed. --threads N adds full over N workers.",
    )
    .argument("[names...]", `${stageNames.join(", ")}, or parts of kernel names; all when absent`)
    .option(
      "--rounds <n>",
      "rounds in which all take turns",
      parseIntOption("--rounds", 1, 1000),
      5,
    )
    .option("--ms <n>", "time of one task in one round", parseIntOption("--ms", 1, 10000), 40);
  return addJsonOption(addComputeOptions(command)).action(action(bench));
}

async function bench(names: readonly string[], options: Options): Promise<void> {
  prepareTurbo(options);
  const { stages, kernels } = select(names);
  const timing: TimingOptions = { rounds: options.rounds, taskMs: options.ms };
  const results: BenchResult[] = [];
  if (stages.length > 0) results.push(...(await runStages(stages, options, timing)));
  if (kernels) results.push(...(await runKernels(kernels, options, timing)));
  if (options.json) printJson({ machine: machine(), results });
  else process.stdout.write(`${describe(results)}\n`);
}

function select(names: readonly string[]): Selection {
  if (names.length === 0) return { stages: stageNames, kernels: [] };
  const stages = stageNames.filter((stage) => names.includes(stage));
  const others = names.filter((name) => !(stageNames as readonly string[]).includes(name));
  if (others.length === 0) return { stages, kernels: undefined };
  try {
    selectCases(others);
  } catch (error) {
    throw new MisuseError((error as Error).message);
  }
  return { stages, kernels: others };
}

async function runStages(
  stages: readonly StageName[],
  options: Options,
  timing: TimingOptions,
): Promise<BenchResult[]> {
  const weights = await loadModel(options.model);
  const modules = options.module ? [options.module] : await supportedModules(moduleNames);
  const results = await benchStages(weights, stages, modules, timing);
  if (options.threads > 1 && stages.includes("full")) {
    results.push(await benchThreads(options, timing));
  }
  return results;
}

async function runKernels(
  names: readonly string[],
  { module }: Options,
  timing: TimingOptions,
): Promise<BenchResult[]> {
  const progress = progressBar(selectCases(names).length, "kernels");
  try {
    return await benchKernels({
      ...timing,
      names,
      ...(module && { modules: [module] }),
      onCase: () => progress.advance(),
    });
  } finally {
    progress.stop();
  }
}

function machine() {
  const processor = cpus()[0]?.model.trim() ?? "unknown";
  const { node, v8 } = process.versions;
  return { processor, cores: cpus().length, node, v8, platform: process.platform };
}

function describe(results: readonly BenchResult[]): string {
  const table = formatTable(
    ["name", "module", "median", "best", "spread", "MMAC", "GMAC/s", "of peak"],
    results.map((row) => [
      row.name,
      row.module,
      formatTime(row.medianMs),
      formatTime(row.bestMs),
      `${(100 * row.spread).toFixed(0)} %`,
      row.macs === 0 ? "" : (row.macs / 1e6).toFixed(2),
      row.gmacs === null ? "" : row.gmacs.toFixed(1),
      row.peakShare === null ? "" : `${(100 * row.peakShare).toFixed(0)} %`,
    ]),
  );
  const { processor, cores, node, v8 } = machine();
  const facts = formatFacts([
    ["machine", `${processor}, ${formatCount(cores)} cores`],
    ["engine", `Node ${node}, V8 ${v8}`],
  ]);
  return `${table}\n\n${facts}`;
}

/** Kernels take microseconds. */
function formatTime(ms: number): string {
  return ms < 0.1 ? `${(1000 * ms).toPrecision(3)} us` : formatMs(ms);
}
