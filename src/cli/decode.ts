/** `epic decode`: the central half over files, latent frames in and velocity maps out. */
import { dirname } from "node:path";
import { Command } from "commander";
import type { CentralDecoder } from "../central/decoder.ts";
import { formatMs } from "../io/format.ts";
import { writeNpy } from "../io/npy.ts";
import {
  action,
  addComputeOptions,
  addJsonOption,
  type ComputeOptions,
  checkOutputFolder,
  type JsonOptions,
  prepareTurbo,
  printJson,
} from "./common.ts";
import { type FrameRecord, readFrames } from "./frameFiles.ts";
import { startRunnerPool } from "./runnerPool.ts";
import { DecodeRunner, type DecodeTask } from "./runners.ts";
import { formatFacts, formatTable } from "./table.ts";

interface Options extends ComputeOptions, JsonOptions {
  out: string;
}

/** Records that the table lists. */
const tableRowsMax = 20;

export function decodeCommand(): Command {
  const command = new Command("decode")
    .description("The central half: decode frames, grouped by record, into velocity maps.")
    .argument("<frames...>", "frame files of epic encode, of any devices and records")
    .requiredOption("-o, --out <file>", "velocity maps, .npy float32 (N, 1, rows, columns), m/s");
  return addJsonOption(addComputeOptions(command)).action(action(decode));
}

async function decode(paths: readonly string[], options: Options): Promise<void> {
  prepareTurbo(options);
  await checkOutputFolder(dirname(options.out));
  const runner = await DecodeRunner.load(options);
  try {
    const records = await readFrames(paths, runner.decoder);
    const [rows, columns] = runner.decoder.config.geometry.map;
    const maps = new Float32Array(records.length * rows * columns);
    const times: number[] = [];
    const threads = Math.min(options.threads, records.length);
    const pool = startRunnerPool("decode", runner, options, threads);
    await pool
      .run(makeTasks(records), ({ map, ms }, { index }) => {
        maps.set(map, index * rows * columns);
        times[index] = ms;
      })
      .finally(() => pool.close());
    await writeNpy(options.out, [records.length, 1, rows, columns], maps);
    report(runner.decoder, records, times, options);
  } finally {
    runner.dispose();
  }
}

async function* makeTasks(records: readonly FrameRecord[]): AsyncGenerator<DecodeTask> {
  for (const [index, { latents, present }] of records.entries()) {
    yield { index, latents, present };
  }
}

function report(
  decoder: CentralDecoder,
  records: readonly FrameRecord[],
  times: readonly number[],
  options: Options,
): void {
  const lines = records.map(({ record, present }, i) => ({
    record: String(record),
    devicesPresent: present.filter(Boolean).length,
    msDecode: times[i]!,
  }));
  if (options.json) {
    const { module, modelId } = decoder;
    const survey = records[0]?.survey;
    printJson({ n: records.length, survey, records: lines, module, modelId, out: options.out });
    return;
  }
  const devices = decoder.config.geometry.devices.length;
  const shown = lines.slice(0, tableRowsMax);
  const table = formatTable(
    ["record", "devices", "decode"],
    shown.map(({ record, devicesPresent, msDecode }) => [
      record,
      `${devicesPresent}/${devices}`,
      formatMs(msDecode),
    ]),
  );
  const hidden = lines.length - shown.length;
  const facts = formatFacts([
    ["written", options.out],
    ["model", `${decoder.modelId}, ${decoder.module} module`],
  ]);
  const note = hidden > 0 ? `(${hidden} records not shown)\n` : "";
  process.stdout.write(`${table}\n${note}\n${facts}\n`);
}
