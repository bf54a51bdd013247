import { Arena } from "../../engine/arena.ts";
import { chooseForms } from "../../engine/igemmForms.ts";
import { decodeHex, instantiateWasm } from "../../engine/instantiate.ts";
import type { CentralExports, EdgeExports, ModuleName } from "../../engine/kernels.ts";
import { hasWideVectors } from "../../engine/wideVectors.ts";
import type { BenchCase, Job, PeakKind } from "./case.ts";
import { kernelCases } from "./kernelCases.ts";
import { layerCases, pairsCases, winogradCases } from "./layerCases.ts";
import { openPeak, type Peak } from "./peak.ts";
import { median, type Task, type Timing, type TimingOptions, timeInTurns } from "./timing.ts";

export interface BenchOptions extends Partial<TimingOptions> {
  /** Parts of case or kernel names; all cases where empty. */
  readonly names?: readonly string[];
  /** One kernel's cases only, by its file in `bench/kernels/`; `peak` times the peaks alone. */
  readonly kernel?: string;
  /** Modules to time; default all that this engine runs. */
  readonly modules?: readonly ModuleName[];
  /** Called before each case. */
  readonly onCase?: (name: string, index: number, count: number) => void;
}

/** One kernel at one size on one module. */
export interface BenchResult {
  readonly name: string;
  readonly kernel: string;
  readonly module: ModuleName;
  /** Per run: median over rounds of each round's median. */
  readonly medianMs: number;
  readonly bestMs: number;
  /** (worst - best) / median of the rounds' medians. */
  readonly spread: number;
  /** Multiply-accumulates that count; 0 where the kernel is not made of them. */
  readonly macs: number;
  /** 1e9 macs per second at the median; null where macs is 0. */
  readonly gmacs: number | null;
  /**
   * Rate over that of the same instructions on registers alone: best run over best run of a round,
   * median over rounds. null where macs is 0.
   */
  readonly peakShare: number | null;
  /** Cells times steps per second at the median, 1e9; of the acoustic kernels alone. */
  readonly gcells?: number;
  /** Their rate over that of a sweep of the same fields through memory, as `peakShare`. */
  readonly memoryShare?: number;
}

export const benchCases: readonly BenchCase[] = [
  ...layerCases,
  ...winogradCases,
  ...pairsCases,
  ...kernelCases,
];

const moduleNames: readonly ModuleName[] = ["scalar", "simd", "relaxed"];

const DEFAULTS: TimingOptions = { rounds: 5, taskMs: 40 };

const SOURCES = {
  edge: {
    scalar: () => import("../../engine/wasm/edge.scalar.ts"),
    simd: () => import("../../engine/wasm/edge.simd.ts"),
    relaxed: () => import("../../engine/wasm/edge.relaxed.ts"),
  },
  central: {
    scalar: () => import("../../engine/wasm/central.scalar.ts"),
    simd: () => import("../../engine/wasm/central.simd.ts"),
    relaxed: () => import("../../engine/wasm/central.relaxed.ts"),
  },
} as const;

/**
 * Times kernels at the sizes of epic-base on every module, against the measured peak of their
 * instructions. Each module's output is compared with the scalar module's before anything is timed.
 *
 * @returns one row per case and module, then the peaks unless one kernel was asked for
 * @throws RangeError when a wanted module is not supported here, or no case has a wanted name
 * @throws Error when a module's output differs from the scalar module's
 */
export async function benchKernels(options: BenchOptions = {}): Promise<BenchResult[]> {
  const timing = {
    rounds: options.rounds ?? DEFAULTS.rounds,
    taskMs: options.taskMs ?? DEFAULTS.taskMs,
  };
  const modules = await supportedModules(options.modules ?? moduleNames);
  const lacking = options.modules?.find((module) => !modules.includes(module));
  if (lacking) throw new RangeError(`module: this engine cannot run ${lacking} (Node 22+ can)`);
  const cases = selectCases(options.names ?? [], options.kernel);
  const peaks = new Map<PeakKind, Peak>();
  for (const module of modules) {
    const kind = peakKindOf(module);
    peaks.set(kind, await openPeak(kind));
  }
  if (modules.includes("relaxed")) {
    if (!peaks.has("s16")) peaks.set("s16", await openPeak("s16"));
    peaks.set("sum4", await openPeak("sum4"));
  }

  const results: BenchResult[] = [];
  for (const [index, benchCase] of cases.entries()) {
    options.onCase?.(benchCase.name, index, cases.length);
    results.push(...(await benchCaseOn(benchCase, modules, peaks, timing)));
  }
  if (options.kernel !== undefined && options.kernel !== "peak") return results;
  return [...results, ...benchPeaks([...peaks.values()], timing)];
}

/** Cases whose name, or whose kernel's name, has one of `names` in it; of one kernel where given. */
export function selectCases(names: readonly string[], kernel?: string): readonly BenchCase[] {
  const cases = benchCases.filter((entry) => kernel === undefined || entry.kernel === kernel);
  if (names.length === 0) return cases;
  const selected = cases.filter(({ name, kernel }) =>
    names.some((part) => name.includes(part) || kernel.includes(part)),
  );
  if (selected.length > 0) return selected;
  const known = [...new Set(benchCases.map(({ kernel }) => kernel))].join(", ");
  throw new RangeError(
    `bench: expected part of a case's or kernel's name (${known}), got ${names}`,
  );
}

async function benchCaseOn(
  benchCase: BenchCase,
  modules: readonly ModuleName[],
  peaks: ReadonlyMap<PeakKind, Peak>,
  timing: TimingOptions,
): Promise<BenchResult[]> {
  const expected = await placeCase(benchCase, "scalar");
  expected.run();
  const jobs: Job[] = [];
  for (const module of modules) {
    const job = await placeCase(benchCase, module);
    job.run();
    checkEqual(benchCase.name, module, job.output(), expected.output());
    jobs.push(job);
  }
  const used = [...peaks.values()].filter(({ kind }) => jobs.some((job) => job.peak === kind));
  const tasks: Task[] = jobs.map(({ run }, i) => ({
    name: `${benchCase.name} ${modules[i]}`,
    run,
  }));
  tasks.push(...used.map(({ kind, registers }) => ({ name: `peak ${kind}`, run: registers.run })));
  const timings = timeInTurns(tasks, timing);

  const peakRates = new Map(
    used.map(({ kind, registers }, i) => [kind, rates(registers.macs, timings[jobs.length + i]!)]),
  );
  return jobs.map((job, i) => {
    const peakRate = job.peak === undefined ? undefined : peakRates.get(job.peak);
    const row = { name: benchCase.name, kernel: benchCase.kernel, module: modules[i]! };
    return resultOf(row, job.macs, timings[i]!, peakRate);
  });
}

async function placeCase({ side, place }: BenchCase, name: ModuleName): Promise<Job> {
  const { wasmHex } = await SOURCES[side][name]();
  const { exports, memory } = await instantiateWasm<EdgeExports & CentralExports>(
    decodeHex(wasmHex),
  );
  const arena = new Arena(memory, exports.heap_base());
  return place({
    exports,
    name,
    arena,
    forms: chooseForms(exports, arena, name, hasWideVectors() ? "_4x16" : ""),
  });
}

/** The peak loops themselves; the share of the L1 form is that of the register form. */
function benchPeaks(peaks: readonly Peak[], timing: TimingOptions): BenchResult[] {
  const modules = { i32: "scalar", s16: "simd", u7: "relaxed", sum4: "relaxed" } as const;
  const loops = peaks.flatMap(({ kind, registers, l1 }) => [
    { name: `peak ${kind} registers`, module: modules[kind], ...registers },
    { name: `peak ${kind} L1`, module: modules[kind], ...l1 },
  ]);
  const timings = timeInTurns(loops, timing);
  return loops.map(({ name, module, macs }, i) => {
    const registers = i - (i % 2);
    const peakRates = rates(loops[registers]!.macs, timings[registers]!);
    return resultOf({ name, kernel: "peak", module }, macs, timings[i]!, peakRates);
  });
}

/** GMAC/s of each round's best run: what other programs take away is left out. */
function rates(macs: number, { bestMs }: Timing): number[] {
  return bestMs.map((ms) => macs / ms / 1e6);
}

function resultOf(
  row: Pick<BenchResult, "name" | "kernel" | "module">,
  macs: number,
  timing: Timing,
  peakRates: readonly number[] | undefined,
): BenchResult {
  const medianMs = median(timing.medianMs);
  const range = Math.max(...timing.medianMs) - Math.min(...timing.medianMs);
  const shares = rates(macs, timing).map(
    (rate, round) => rate / (peakRates?.[round] ?? Number.NaN),
  );
  return {
    ...row,
    medianMs,
    bestMs: Math.min(...timing.bestMs),
    spread: range / medianMs,
    macs,
    gmacs: macs === 0 ? null : macs / medianMs / 1e6,
    peakShare: macs === 0 || peakRates === undefined ? null : median(shares),
  };
}

function peakKindOf(module: ModuleName): PeakKind {
  return ({ scalar: "i32", simd: "s16", relaxed: "u7" } as const)[module];
}

/** Those of `modules` whose instructions this engine knows. */
export async function supportedModules(modules: readonly ModuleName[]): Promise<ModuleName[]> {
  const supported: ModuleName[] = [];
  for (const module of modules) {
    const { wasmHex } = await SOURCES.edge[module]();
    if (WebAssembly.validate(decodeHex(wasmHex))) supported.push(module);
  }
  return supported;
}

function checkEqual(
  name: string,
  module: ModuleName,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): void {
  for (let i = 0; i < Math.max(actual.length, expected.length); i++) {
    if (actual[i] === expected[i]) continue;
    throw new Error(
      `bench ${name}: expected ${module} to equal scalar, got ${actual[i]} for ${expected[i]} at ${i}`,
    );
  }
}
