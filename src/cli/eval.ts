/** `epic eval`: OpenFWI's figures over folders of records, or over families made on the spot. */
import { availableParallelism } from "node:os";
import { Command, Option } from "commander";
import { seismicExpectation } from "../io/npy.ts";
import type { Geometry } from "../model/config.ts";
import { FAMILIES, type FamilyName, isFamilyName } from "../physics/families/index.ts";
import type { Boundary } from "../physics/index.ts";
import {
  action,
  addComputeOptions,
  addJsonOption,
  type ComputeOptions,
  type JsonOptions,
  MisuseError,
  type Progress,
  parseIntOption,
  prepareTurbo,
  printJson,
  progressBar,
} from "./common.ts";
import { type EvalSet, findEvalSets } from "./evalSets.ts";
import { inferFiles, openRecordFiles } from "./inferFile.ts";
import { openInput } from "./openInput.ts";
import { startRunnerPool } from "./runnerPool.ts";
import { type InferReply, InferRunner, type InferTask } from "./runners.ts";
import { ScoreSum, type SetScore } from "./scores.ts";
import { formatFacts, formatTable } from "./table.ts";
import type { WorkerPool } from "./workerPool.ts";

interface Options extends ComputeOptions, JsonOptions {
  family?: string[];
  count?: number;
  seed: number;
  boundary: Boundary;
}

interface NamedScore {
  readonly name: string;
  readonly score: SetScore;
}

/** What a run works with. */
interface Bench {
  readonly runner: InferRunner;
  readonly pool: WorkerPool<InferTask, InferReply>;
  readonly options: Options;
}

export function evalCommand(): Command {
  const command = new Command("eval")
    .description("MAE, RMSE and SSIM as OpenFWI computes them, per family.")
    .argument("[dir]", "data*.npy and model*.npy (or seis*, vel*), also in subfolders")
    .option("--family <name...>", `families to make instead: ${FAMILIES.join(", ")} or all`)
    .option(
      "-n, --count <n>",
      "records per family; at most this many of a folder",
      parseIntOption("-n", 1, 10_000_000),
    )
    .option("--seed <s>", "seed of the families", parseIntOption("--seed", 0, 2 ** 32 - 1), 0)
    .addOption(
      new Option("--boundary <name>", "how the families' records are modelled")
        .choices(["openfwi", "fast"])
        .default("openfwi"),
    );
  const threads = availableParallelism();
  return addJsonOption(addComputeOptions(command, threads)).action(action(evaluate));
}

async function evaluate(folder: string | undefined, options: Options): Promise<void> {
  prepareTurbo(options);
  const families = checkSource(folder, options);
  const sets = folder === undefined ? [] : await findEvalSets(folder);
  const runner = await InferRunner.load(options);
  const pool = startRunnerPool("infer", runner, options, options.threads);
  const bench: Bench = { runner, pool, options };
  try {
    const scores: NamedScore[] = [];
    for (const family of families) scores.push(await evaluateFamily(bench, family));
    for (const set of sets) scores.push(await evaluateSet(bench, set));
    report(runner, scores, options);
  } finally {
    await pool.close();
    runner.dispose();
  }
}

/** The families to make; none when a folder is given. */
function checkSource(folder: string | undefined, { family, count }: Options): FamilyName[] {
  if (folder !== undefined) {
    if (family) throw new MisuseError("eval: expected a folder or --family, got both");
    return [];
  }
  if (!family) throw new MisuseError("eval: expected a folder or --family, got neither");
  if (count === undefined) throw new MisuseError("eval: expected -n with --family, got none");
  if (family.includes("all")) return [...FAMILIES];
  return family.map((name) => {
    if (isFamilyName(name)) return name;
    throw new MisuseError(`--family: expected ${FAMILIES.join(", ")} or all, got "${name}"`);
  });
}

async function evaluateFamily(bench: Bench, family: FamilyName): Promise<NamedScore> {
  const { runner, pool, options } = bench;
  const count = options.count ?? 0;
  const rows = runner.encode.encoder.config.geometry.map[0];
  const replies: InferReply[] = [];
  const progress = progressBar(count, family);
  try {
    await pool.run(familyTasks(family, count, options), (reply, { index }) => {
      replies[index] = reply;
      progress.advance();
    });
  } finally {
    progress.stop();
  }
  const sum = new ScoreSum();
  for (const { map, truth } of replies) sum.add(map, truth!, rows);
  return { name: family, score: sum.result()! };
}

async function* familyTasks(
  family: FamilyName,
  count: number,
  { seed, boundary }: Options,
): AsyncGenerator<InferTask> {
  for (let index = 0; index < count; index++) yield { index, family, seed, boundary };
}

async function evaluateSet(bench: Bench, { name, pairs }: EvalSet): Promise<NamedScore> {
  const { geometry } = bench.runner.encode.encoder.config;
  const counts = await planCounts(pairs, geometry, bench.options.count);
  const progress = progressBar(
    counts.reduce((sum, count) => sum + count, 0),
    name,
  );
  try {
    const sum = new ScoreSum();
    for (const [i, count] of counts.entries()) {
      if (count > 0) await addPair(bench, pairs[i]!, count, sum, progress);
    }
    return { name, score: sum.result()! };
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
    const file = await openInput(data, seismicExpectation(geometry));
    await file.close();
    counts.push(Math.min(left, file.count));
    left -= counts.at(-1)!;
  }
  return counts;
}

async function addPair(
  { runner, pool }: Bench,
  { data, model }: EvalSet["pairs"][number],
  count: number,
  sum: ScoreSum,
  progress: Progress,
): Promise<void> {
  const { config } = runner.encode.encoder;
  const files = await openRecordFiles(data, model, config);
  try {
    const rows = config.geometry.map[0];
    const { records } = await inferFiles(pool, files, rows, count, progress.advance);
    for (const { score } of records) sum.addScore(score!);
  } finally {
    await files.close();
  }
}

function report(
  { encode: { encoder } }: InferRunner,
  scores: readonly NamedScore[],
  options: Options,
): void {
  const { module, modelId } = encoder;
  if (options.json) {
    const families = Object.fromEntries(scores.map(({ name, score }) => [name, score]));
    const made = options.family && { seed: options.seed, boundary: options.boundary };
    printJson({ families, ...made, module, modelId });
    return;
  }
  const table = formatTable(
    ["family", "n", "SSIM", "MAE", "RMSE", "MAE m/s"],
    scores.map(({ name, score }) => [
      name,
      String(score.n),
      score.ssim.toFixed(4),
      score.mae.toFixed(4),
      score.rmse.toFixed(4),
      score.maeMps.toFixed(1),
    ]),
  );
  process.stdout.write(`${table}\n\n${formatFacts([["model", `${modelId}, ${module} module`]])}\n`);
}
