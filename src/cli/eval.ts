/** `epic eval`: OpenFWI's figures over folders of records, or over families made on the spot. */
import { availableParallelism } from "node:os";
import { Command, Option } from "commander";
import type { WorkerPool } from "../batch/workerPool.ts";
import { writeFilesAtomic } from "../io/atomic.ts";
import { lineSteps } from "../io/lineSteps.ts";
import { seismicExpectation } from "../io/npy.ts";
import { reliabilityPng } from "../io/plots/reliability.ts";
import type { Geometry } from "../model/config.ts";
import { FAMILIES, type FamilyName, isFamilyName } from "../physics/families/index.ts";
import type { Boundary } from "../physics/index.ts";
import {
  action,
  addCheckOptions,
  addComputeOptions,
  addJsonOption,
  type CheckFlags,
  type ComputeOptions,
  checkOutputFolder,
  type JsonOptions,
  MisuseError,
  type Progress,
  parseIntOption,
  prepareTurbo,
  printJson,
  progressBar,
} from "./common.ts";
import { type EvalSummary, evalText, summariseEval } from "./evalReport.ts";
import { type RecordScore, scoreReply } from "./evalScores.ts";
import { type EvalSet, findEvalSets } from "./evalSets.ts";
import { openRecordFiles, readTasks } from "./inferFile.ts";
import { openInput } from "./openInput.ts";
import { startRunnerPool } from "./runnerPool.ts";
import { type InferExtras, type InferReply, InferRunner, type InferTask } from "./runners.ts";

/** Seed and number of the maps that --all scores: training never sees this seed. */
const testSeed = 3001;
const testCount = 500;

interface Options extends ComputeOptions, CheckFlags, JsonOptions {
  all?: boolean;
  family?: string[];
  count?: number;
  seed?: number;
  boundary: Boundary;
  faults?: boolean;
  out?: string;
}

/** What a run works with. */
interface Bench {
  readonly runner: InferRunner;
  readonly pool: WorkerPool<InferTask, InferReply>;
  readonly extras: InferExtras;
  readonly rows: number;
}

/** Families to make; none when a folder is given. */
interface FamilyPlan {
  readonly families: readonly FamilyName[];
  readonly count: number;
  readonly seed: number;
  readonly boundary: Boundary;
}

export function evalCommand(): Command {
  const command = new Command("eval")
    .description("MAE, RMSE and SSIM as OpenFWI computes them, per family.")
    .argument("[dir]", "data*.npy and model*.npy (or seis*, vel*), also in subfolders")
    .option("--family <name...>", `families to make instead: ${FAMILIES.join(", ")} or all`)
    .option(
      "--all",
      `the whole table: all families on the test seed ${testSeed}, with --faults; -n ${testCount} unless given`,
    )
    .option(
      "-n, --count <n>",
      "records per family; at most this many of a folder",
      parseIntOption("-n", 1, 10_000_000),
    )
    .option("--seed <s>", "seed of the families", parseIntOption("--seed", 0, 2 ** 32 - 1))
    .addOption(
      new Option("--boundary <name>", "how the families' records are modelled")
        .choices(["openfwi", "fast"])
        .default("openfwi"),
    )
    .option("--faults", "score records without one, two and three devices and in 4 bits as well")
    .option("-o, --out <dir>", "write eval.json there, and reliability.png with --check");
  addCheckOptions(command, "latentMisfit and dataMisfit, and how well they tell the true error,");
  const threads = availableParallelism();
  return addJsonOption(addComputeOptions(command, threads)).action(action(evaluate));
}

async function evaluate(folder: string | undefined, options: Options): Promise<void> {
  prepareTurbo(options);
  const plan = planFamilies(folder, options);
  const sets = folder === undefined ? [] : await findEvalSets(folder);
  if (options.out !== undefined) await checkOutputFolder(options.out);
  const runner = await InferRunner.load(options);
  const pool = startRunnerPool("infer", runner, options, options.threads);
  const checkBoundary = options.checkBoundary ?? options.boundary;
  const extras = {
    ...(options.check && { check: checkBoundary }),
    ...((options.faults || options.all) && { variants: true }),
  };
  const bench: Bench = { runner, pool, extras, rows: runner.encode.encoder.config.geometry.map[0] };
  try {
    const scores = new Map<string, readonly RecordScore[]>();
    for (const family of plan?.families ?? []) {
      scores.set(family, await evaluateFamily(bench, family, plan!));
    }
    for (const set of sets) scores.set(set.name, await evaluateSet(bench, set, options.count));
    const { module, modelId } = runner.encode.encoder;
    const made = plan && { seed: plan.seed, boundary: plan.boundary };
    const summary = summariseEval(scores, { module, modelId }, checkBoundary, made);
    if (options.out !== undefined) await writeResults(options.out, summary);
    if (options.json) printJson(summary);
    else process.stdout.write(`${evalText(summary)}\n`);
  } finally {
    await pool.close();
    runner.dispose();
  }
}

async function writeResults(folder: string, summary: EvalSummary): Promise<void> {
  await writeFilesAtomic(folder, {
    "eval.json": `${JSON.stringify(summary, null, 2)}\n`,
    ...(summary.check && { "reliability.png": reliabilityPng(summary.check.reliability) }),
  });
}

function planFamilies(folder: string | undefined, options: Options): FamilyPlan | undefined {
  const { all, family, boundary } = options;
  if (folder !== undefined) {
    if (family || all) throw new MisuseError("eval: expected a folder or --family, got both");
    return undefined;
  }
  if (all) {
    if (family) throw new MisuseError("eval: expected --all or --family, got both");
    const { count = testCount, seed = testSeed } = options;
    return { families: FAMILIES, count, seed, boundary };
  }
  if (!family) throw new MisuseError("eval: expected a folder or --family, got neither");
  const { count, seed = 0 } = options;
  if (count === undefined) throw new MisuseError("eval: expected -n with --family, got none");
  return { families: familyNames(family), count, seed, boundary };
}

function familyNames(names: readonly string[]): FamilyName[] {
  if (names.includes("all")) return [...FAMILIES];
  return names.map((name) => {
    if (isFamilyName(name)) return name;
    throw new MisuseError(`--family: expected ${FAMILIES.join(", ")} or all, got "${name}"`);
  });
}

async function evaluateFamily(
  { pool, extras, rows }: Bench,
  family: FamilyName,
  plan: FamilyPlan,
): Promise<RecordScore[]> {
  // By index: sums must not depend on the order of completion.
  const scores: RecordScore[] = [];
  const progress = progressBar(plan.count, family);
  try {
    await pool.run(familyTasks(family, plan, extras), (reply, { index }) => {
      scores[index] = scoreReply(reply, reply.truth!, rows);
      progress.advance();
    });
  } finally {
    progress.stop();
  }
  return scores;
}

async function* familyTasks(
  family: FamilyName,
  { count, seed, boundary }: FamilyPlan,
  extras: InferExtras,
): AsyncGenerator<InferTask> {
  for (let index = 0; index < count; index++) yield { ...extras, index, family, seed, boundary };
}

async function evaluateSet(
  bench: Bench,
  { name, pairs }: EvalSet,
  limit: number | undefined,
): Promise<RecordScore[]> {
  const { geometry } = bench.runner.encode.encoder.config;
  const counts = await planCounts(pairs, geometry, limit);
  const progress = progressBar(
    counts.reduce((sum, count) => sum + count, 0),
    name,
  );
  try {
    const scores: RecordScore[] = [];
    for (const [i, count] of counts.entries()) {
      if (count > 0) scores.push(...(await evaluatePair(bench, pairs[i]!, count, progress)));
    }
    return scores;
  } finally {
    progress.stop();
  }
}

/** How many records of each file are scored. */
async function planCounts(
  pairs: EvalSet["pairs"],
  geometry: Geometry,
  limit: number = Number.POSITIVE_INFINITY,
): Promise<number[]> {
  let left = limit;
  const counts: number[] = [];
  for (const { data } of pairs) {
    const file = await openInput(data, seismicExpectation(geometry, lineSteps(geometry)));
    await file.close();
    counts.push(Math.min(left, file.count));
    left -= counts.at(-1)!;
  }
  return counts;
}

async function evaluatePair(
  { runner, pool, extras, rows }: Bench,
  { data, model }: EvalSet["pairs"][number],
  count: number,
  progress: Progress,
): Promise<RecordScore[]> {
  const files = await openRecordFiles(data, model, runner.encode.encoder.config);
  try {
    const scores: RecordScore[] = [];
    await pool.run(readTasks(files.data, count, extras), async (reply, { index }) => {
      scores[index] = scoreReply(reply, await files.truth!.read(index), rows);
      progress.advance();
    });
    return scores;
  } finally {
    await files.close();
  }
}
