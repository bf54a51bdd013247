/** `epic infer`: every record of a file through both halves of the model. */
import { Command } from "commander";
import type { WorkerPool } from "../batch/workerPool.ts";
import { writeFilesAtomic } from "../io/atomic.ts";
import { formatBytes, formatMs } from "../io/format.ts";
import { encodeNpy } from "../io/npy.ts";
import { recordsPng } from "../io/plots/maps.ts";
import type { ModelConfig } from "../model/config.ts";
import {
  action,
  addCheckOptions,
  addComputeOptions,
  addJsonOption,
  type CheckFlags,
  type ComputeOptions,
  checkOutputFolder,
  defaultCheckBoundary,
  type JsonOptions,
  prepareTurbo,
  printJson,
  progressBar,
} from "./common.ts";
import {
  type FileResult,
  inferFiles,
  openRecordFiles,
  type RecordFiles,
  type RecordResult,
} from "./inferFile.ts";
import { recordBytes } from "./recordBytes.ts";
import { startRunnerPool } from "./runnerPool.ts";
import { type InferReply, InferRunner, type InferTask } from "./runners.ts";
import { formatFacts, formatTable } from "./table.ts";

interface Options extends ComputeOptions, CheckFlags, JsonOptions {
  truth?: string;
  out?: string;
}

/** Records that maps.png shows. */
const picturesMax = 4;
/** Records that the table lists. */
const tableRowsMax = 20;

export function inferCommand(): Command {
  const command = new Command("infer")
    .description("Turn every record of a file into a velocity map, in this process.")
    .argument("<data>", "seismic records (N, shots, samples, receivers): .npy, .npz, .sgy")
    .option("--truth <file>", "true velocity maps (N, 1, rows, columns), m/s")
    .option("-o, --out <dir>", "write velocity.npy, maps.png and result.json there");
  addCheckOptions(command, "latentMisfit and dataMisfit");
  return addJsonOption(addComputeOptions(command)).action(action(infer));
}

async function infer(path: string, options: Options): Promise<void> {
  prepareTurbo(options);
  if (options.out !== undefined) await checkOutputFolder(options.out);
  const runner = await InferRunner.load(options);
  const { config } = runner.encode.encoder;
  let files: RecordFiles | undefined;
  let pool: WorkerPool<InferTask, InferReply> | undefined;
  try {
    files = await openRecordFiles(path, options.truth, config);
    const { count } = files.data;
    pool = startRunnerPool("infer", runner, options, Math.min(options.threads, count));
    const progress = progressBar(count, "infer");
    const result = await inferFiles(
      pool,
      files,
      config.geometry.map[0],
      count,
      progress.advance,
      options.check ? { check: options.checkBoundary ?? defaultCheckBoundary } : {},
    ).finally(progress.stop);
    const summary = summarise(runner, result);
    if (options.out !== undefined) {
      await writeFilesAtomic(options.out, {
        "velocity.npy": encodeMaps(config, result.records),
        "maps.png": await drawFirst(config, files, result.records),
        "result.json": `${JSON.stringify(summary, null, 2)}\n`,
      });
    }
    if (options.json) printJson(summary);
    else process.stdout.write(`${describe(summary, options.out)}\n`);
  } finally {
    await pool?.close();
    await files?.close();
    runner.dispose();
  }
}

/** The JSON document. Scores are null when no truth was given, misfits without --check. */
type Summary = ReturnType<typeof summarise>;

function summarise({ encode: { encoder } }: InferRunner, { records, score }: FileResult) {
  const bytes = recordBytes(encoder.config);
  return {
    n: records.length,
    ssim: score?.ssim ?? null,
    mae: score?.mae ?? null,
    rmse: score?.rmse ?? null,
    maeMps: score?.maeMps ?? null,
    ...summariseTrust(records),
    devicesPresent: encoder.config.geometry.devices.length,
    /** One device's encoding: median over devices and records. */
    msEncode: median(records.flatMap((record) => record.msEncode)),
    msDecode: median(records.map((record) => record.msDecode)),
    payloadBytes: bytes.payload,
    wireBytes: bytes.wire,
    rawBytes: bytes.raw,
    module: encoder.module,
    modelId: encoder.modelId,
    records: records.map((record) => ({
      record: record.record,
      ssim: record.score?.ssim ?? null,
      mae: record.score?.mae ?? null,
      rmse: record.score?.rmse ?? null,
      maeMps: record.score?.maeMps ?? null,
      latentMisfit: record.trust?.latentMisfit ?? null,
      dataMisfit: record.trust?.dataMisfit ?? null,
      msEncode: median(record.msEncode),
      msDecode: record.msDecode,
      msCheck: record.trust?.ms ?? null,
    })),
  };
}

/** Means over the records, and the median time of a check. */
function summariseTrust(records: readonly RecordResult[]) {
  const trusts = records.flatMap(({ trust }) => (trust ? [trust] : []));
  if (trusts.length === 0) return { latentMisfit: null, dataMisfit: null, msCheck: null };
  const mean = (key: "latentMisfit" | "dataMisfit") =>
    trusts.reduce((sum, trust) => sum + trust[key], 0) / trusts.length;
  return {
    latentMisfit: mean("latentMisfit"),
    dataMisfit: mean("dataMisfit"),
    msCheck: median(trusts.map(({ ms }) => ms)),
  };
}

function encodeMaps(config: ModelConfig, records: readonly RecordResult[]): Uint8Array {
  const [rows, columns] = config.geometry.map;
  const maps = new Float32Array(records.length * rows * columns);
  for (const { record, map } of records) maps.set(map, record * map.length);
  return encodeNpy([records.length, 1, rows, columns], maps);
}

async function drawFirst(
  { geometry }: ModelConfig,
  { data, truth }: RecordFiles,
  records: readonly RecordResult[],
): Promise<Uint8Array> {
  const { samples, receivers, shots } = geometry;
  const shot = Math.floor(shots / 2);
  const pictures = records.slice(0, picturesMax).map(async ({ record, map, score }) => {
    const traces = await data.read(record);
    const from = shot * samples * receivers;
    const gather = traces.subarray(from, from + samples * receivers);
    const scores = score && `: SSIM ${score.ssim.toFixed(4)}, MAE ${score.maeMps.toFixed(1)} m/s`;
    return {
      title: `Record ${record}${scores ?? ""}`,
      prediction: map,
      ...(truth && { truth: await truth.read(record) }),
      gather: { data: gather, samples, receivers, shot },
      geometry,
    };
  });
  return recordsPng(await Promise.all(pictures));
}

function describe(summary: Summary, out: string | undefined): string {
  const shown = summary.records.slice(0, tableRowsMax);
  const scored = summary.ssim !== null;
  const checked = summary.latentMisfit !== null;
  const table = formatTable(
    [
      "record",
      ...(scored ? ["SSIM", "MAE", "RMSE", "MAE m/s"] : []),
      ...(checked ? ["latent misfit", "data misfit"] : []),
      "encode",
      "decode",
    ],
    [...shown, ...(summary.n > 1 ? [{ ...summary, record: "all" }] : [])].map((line) => [
      String(line.record),
      ...(scored ? cells([line.ssim, line.mae, line.rmse, line.maeMps], [4, 4, 4, 1]) : []),
      ...(checked ? cells([line.latentMisfit, line.dataMisfit], [4, 4]) : []),
      formatMs(line.msEncode),
      formatMs(line.msDecode),
    ]),
  );
  const hidden = summary.n - shown.length;
  const facts = formatFacts([
    ["model", `${summary.modelId}, ${summary.module} module`],
    ["devices", `${summary.devicesPresent}`],
    [
      "bytes/record",
      `${formatBytes(summary.payloadBytes)} latents, ${formatBytes(summary.wireBytes)} on the wire (estimate, connection open), ` +
        `${formatBytes(summary.rawBytes)} raw`,
    ],
    ...(summary.msCheck === null
      ? []
      : [["check", `${formatMs(summary.msCheck)} per record`] as const]),
    ...(out === undefined ? [] : [["written", out] as const]),
  ]);
  return [table, ...(hidden > 0 ? [`(${hidden} records not shown)`] : []), "", facts].join("\n");
}

function cells(values: readonly (number | null)[], digits: readonly number[]): string[] {
  return values.map((value, i) => (value === null ? "" : value.toFixed(digits[i])));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
