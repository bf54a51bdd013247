/** `epic encode`: the device's half over files, one latent frame per record. */
import { Command, Option } from "commander";
import type { EdgeEncoder } from "../edge/encoder.ts";
import { selectReceivers } from "../edge/receivers.ts";
import { writeFilesAtomic } from "../io/atomic.ts";
import { formatBytes, formatMs, formatRatio } from "../io/format.ts";
import { lineSteps } from "../io/lineSteps.ts";
import { type NpyExpectation, seismicExpectation } from "../io/npy.ts";
import type { RecordFile } from "../io/recordFile.ts";
import type { DeviceBlock, Geometry } from "../model/config.ts";
import { encodeFrame, isSurveyId } from "../protocol/index.ts";
import {
  action,
  addComputeOptions,
  addJsonOption,
  type ComputeOptions,
  checkOutputFolder,
  type JsonOptions,
  MisuseError,
  parseIntOption,
  prepareTurbo,
  printJson,
  progressBar,
} from "./common.ts";
import { addEncodingOption, ENCODINGS, type EncodingName } from "./encodingOption.ts";
import { openInput } from "./openInput.ts";
import { startRunnerPool } from "./runnerPool.ts";
import { EncodeRunner, type EncodeTask } from "./runners.ts";
import { formatFacts } from "./table.ts";

interface Options extends ComputeOptions, JsonOptions {
  device: number;
  out: string;
  survey: string;
  firstRecord: number;
  encoding: EncodingName;
  bits?: "8" | "4";
}

export function encodeCommand(): Command {
  const command = new Command("encode")
    .description("The device's half: encode one device's receivers, one frame file per record.")
    .argument("<data>", "seismic records, .npy, .npz, .sgy: all receivers, or the device's own")
    .requiredOption("--device <i>", "which device, from 0", parseIntOption("--device", 0, 65534))
    .requiredOption("-o, --out <dir>", "folder for record-NNNNNN.device-I.epic")
    .option("--survey <id>", "survey written into the frames, 1-16 of [a-z0-9-]", "local")
    .option(
      "--first-record <n>",
      "record id of the first record",
      parseIntOption("--first-record", 0, Number.MAX_SAFE_INTEGER),
      0,
    )
    .addOption(
      new Option("--bits <n>", "8: --encoding int8, 4: --encoding 4bit")
        .choices(["8", "4"])
        .hideHelp(),
    );
  return addJsonOption(addComputeOptions(addEncodingOption(command))).action(
    action((path: string, options: Options, called: Command) => {
      const { bits } = options;
      if (bits === undefined) return encode(path, options);
      if (called.getOptionValueSource("encoding") === "cli") {
        throw new MisuseError("encode: expected --bits or --encoding, got both");
      }
      return encode(path, { ...options, encoding: bits === "4" ? "4bit" : "int8" });
    }),
  );
}

async function encode(path: string, options: Options): Promise<void> {
  prepareTurbo(options);
  if (!isSurveyId(options.survey)) {
    throw new MisuseError(`--survey: expected 1-16 of [a-z0-9-], got "${options.survey}"`);
  }
  await checkOutputFolder(options.out);
  const runner = await EncodeRunner.load(options);
  let data: RecordFile | undefined;
  try {
    const { geometry } = runner.encoder.config;
    const block = deviceBlock(geometry, options.device);
    data = await openInput(path, deviceExpectation(geometry, block));
    const { frames, msEncode } = await encodeAll(runner, data, block, options);
    await writeFilesAtomic(options.out, frames);
    report(runner.encoder, Object.values(frames), msEncode, block, options);
  } finally {
    await data?.close();
    runner.dispose();
  }
}

/** Frames by file name, and the median time of one encoding. */
async function encodeAll(
  runner: EncodeRunner,
  data: RecordFile,
  block: DeviceBlock,
  options: Options,
): Promise<{ frames: Record<string, Uint8Array>; msEncode: number }> {
  const frames: Record<string, Uint8Array> = {};
  const times: number[] = [];
  const threads = Math.min(options.threads, data.count);
  const pool = startRunnerPool("encode", runner, options, threads);
  const progress = progressBar(data.count, "encode");
  try {
    const tasks = readTasks(data, runner.encoder.config.geometry, block, options.device);
    await pool.run(tasks, ({ latent, ms }, { index }) => {
      const record = options.firstRecord + index;
      const name = `record-${String(record).padStart(6, "0")}.device-${options.device}.epic`;
      frames[name] = makeFrame(runner.encoder, latent, block, record, options);
      times.push(ms);
      progress.advance();
    });
  } finally {
    progress.stop();
    await pool.close();
  }
  times.sort((a, b) => a - b);
  return { frames, msEncode: times[times.length >> 1] ?? 0 };
}

async function* readTasks(
  data: RecordFile,
  { shots, samples, receivers }: Geometry,
  block: DeviceBlock,
  device: number,
): AsyncGenerator<EncodeTask> {
  const ownLength = shots * samples * block.receivers;
  for (let index = 0; index < data.count; index++) {
    const record = await data.read(index);
    const traces =
      record.length === ownLength
        ? record
        : selectReceivers(record, receivers, block, new Float32Array(ownLength));
    yield { index, device, traces };
  }
}

function makeFrame(
  { config, modelId, coder }: EdgeEncoder,
  latent: Int8Array,
  block: DeviceBlock,
  record: number,
  { encoding, survey, device }: Options,
): Uint8Array {
  const fields = {
    encoding: ENCODINGS[encoding],
    modelId,
    survey,
    record: BigInt(record),
    device,
    devices: config.geometry.devices.length,
    firstReceiver: block.firstReceiver,
    receivers: block.receivers,
    acquiredNs: 0n,
    latent,
  };
  return encodeFrame(fields, coder);
}

function report(
  encoder: EdgeEncoder,
  frames: readonly Uint8Array[],
  msEncode: number,
  block: DeviceBlock,
  options: Options,
): void {
  const { geometry } = encoder.config;
  // Entropy-coded frames differ in length.
  const frameBytes = frames.reduce((sum, frame) => sum + frame.length, 0) / (frames.length || 1);
  const rawBytes = 4 * geometry.shots * geometry.samples * block.receivers;
  if (options.json) {
    printJson({
      n: frames.length,
      device: options.device,
      frameBytes,
      rawBytes,
      msEncode,
      module: encoder.module,
      modelId: encoder.modelId,
      out: options.out,
    });
    return;
  }
  const last = block.firstReceiver + block.receivers - 1;
  const facts = formatFacts([
    ["frames", `${frames.length} in ${options.out}`],
    ["device", `${options.device}, receivers ${block.firstReceiver} to ${last}`],
    [
      "bytes/record",
      `${formatBytes(frameBytes)} for ${formatBytes(rawBytes)} of traces, ` +
        `${formatRatio(rawBytes / frameBytes)} fewer`,
    ],
    ["encode", `${formatMs(msEncode)} (median)`],
    ["model", `${encoder.modelId}, ${encoder.module} module`],
  ]);
  process.stdout.write(`${facts}\n`);
}

function deviceBlock({ devices }: Geometry, device: number): DeviceBlock {
  const block = devices[device];
  if (block) return block;
  throw new MisuseError(`--device: expected 0 to ${devices.length - 1}, got ${device}`);
}

/** All receivers, or those of the device alone. */
function deviceExpectation(geometry: Geometry, block: DeviceBlock): NpyExpectation {
  const all = seismicExpectation(geometry, lineSteps(geometry, block));
  const own = seismicExpectation({ ...geometry, receivers: block.receivers });
  return { ...all, shapes: [...all.shapes, ...own.shapes] };
}
