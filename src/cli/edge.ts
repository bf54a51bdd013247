/** `epic edge`: one end device. */
import { stat } from "node:fs/promises";
import { Command, Option } from "commander";
import { type AgentEvent, type AgentTotals, EdgeAgent } from "../edge/agent.ts";
import { EdgeEncoder } from "../edge/encoder.ts";
import { type FullPolicy, Outbox, partsOf } from "../edge/outbox.ts";
import { loadModelHalf } from "../io/modelFiles.ts";
import { deviceStatusTopic, edgeClientId } from "../protocol/index.ts";
import { MqttLink } from "../transport/client.ts";
import { addBrokerOptions, type BrokerOptions, brokerAccess } from "./brokerOptions.ts";
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
} from "./common.ts";
import { addEncodingOption, ENCODINGS, type EncodingName } from "./encodingOption.ts";
import { stopSignal } from "./lifetime.ts";

interface Options extends BrokerOptions, ComputeOptions, JsonOptions {
  device: number;
  source: string;
  outbox: string;
  encoding: EncodingName;
  shards: number;
  window: number;
  perWakeup: number;
  wakeupAfter: number;
  qos: "0" | "1";
  ackTimeout: number;
  outboxMib: number;
  outboxAge: number;
  diskReserveMib: number;
  whenFull: FullPolicy;
  once?: boolean;
}

/** The frames of a wake-up are read from the outbox within this time of each other. */
const GATHER_MS = 20;

export function edgeCommand(): Command {
  const command = addBrokerOptions(new Command("edge"))
    .description(
      "Run one end device: take records as they appear in a folder, encode them, keep each latent\n" +
        "in a durable outbox, and send it until the central node has acknowledged it.",
    )
    .requiredOption("--device <i>", "index of this device", parseIntOption("--device", 0, 65534))
    .requiredOption("--source <dir>", "folder with records: its receivers, or all of them")
    .requiredOption("--outbox <dir>", "folder of the outbox; made if absent")
    .option("--shards <n>", "shards of the survey", parseIntOption("--shards", 1, 65535), 1)
    .option("--window <n>", "frames under way at most", parseIntOption("--window", 1, 1024), 8)
    .option(
      "--per-wakeup <n>",
      "hold frames back until n wait, and send them in one go: for a radio that sleeps in between",
      parseIntOption("--per-wakeup", 1, 1024),
      1,
    )
    .option(
      "--wakeup-after <s>",
      "hold none back longer than this",
      parseIntOption("--wakeup-after", 1, 86_400),
      60,
    )
    .addOption(
      new Option(
        "--qos <q>",
        "MQTT quality of service of the frames; 1 has the broker confirm each one too, which nothing needs",
      )
        .choices(["0", "1"])
        .default("0"),
    )
    .option(
      "--ack-timeout <ms>",
      "send again after this",
      parseIntOption("--ack-timeout", 100, 3_600_000),
      15_000,
    )
    .option("--outbox-mib <n>", "size of the outbox", outboxMib, 64)
    .option(
      "--outbox-age <s>",
      "give up frames that have waited longer; 0 = never",
      parseIntOption("--outbox-age", 0, 4_000_000_000),
      2_592_000,
    )
    .option(
      "--disk-reserve-mib <n>",
      "take no new record while the disk has less room than this",
      parseIntOption("--disk-reserve-mib", 0, 1_048_576),
      16,
    )
    .addOption(
      new Option("--when-full <policy>", "wait: leave records in their folder until there is room")
        .choices(["wait", "drop-oldest"])
        .default("wait"),
    )
    .option("--once", "end when every record in the folder is acknowledged");
  return addJsonOption(addComputeOptions(addEncodingOption(command))).action(action(edge));
}

/** Fractions too: on a board with little flash 64 KiB may be all there is. */
function outboxMib(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value < 0.001 || value > 65536) {
    throw new MisuseError(`--outbox-mib: expected 0.001 to 65536, got "${text}"`);
  }
  return value;
}

async function edge(options: Options): Promise<void> {
  prepareTurbo(options);
  const stop = stopSignal();
  const source = await stat(options.source).catch(() => undefined);
  if (!source?.isDirectory()) {
    throw new MisuseError(`--source: expected a folder, got ${options.source}`);
  }
  const weights = await loadModelHalf("edge", options.model);
  const encoder = await EdgeEncoder.load({
    weights,
    ...(options.module && { module: options.module }),
  });
  const { devices } = encoder.config.geometry;
  if (options.device >= devices.length) {
    throw new MisuseError(`--device: expected 0 to ${devices.length - 1}, got ${options.device}`);
  }
  // A device waits for its first shot anyway; compiling must not delay that one.
  encoder.warmup();
  const totals = await runDevice(options, encoder, stop);
  if (options.json) {
    const { modelId, module } = encoder;
    printJson({ survey: options.survey, device: options.device, modelId, module, ...totals });
  }
}

async function runDevice(
  options: Options,
  encoder: EdgeEncoder,
  stop: AbortSignal,
): Promise<AgentTotals> {
  const { survey, device } = options;
  const say = (text: string) => process.stderr.write(`edge ${device}: ${text}\n`);
  const access = await brokerAccess(options, { role: "device", survey, device });
  const outbox = await Outbox.open(options.outbox, {
    owner: `${survey}/${device}`,
    bytesMax: Math.floor(options.outboxMib * 2 ** 20),
    whenFull: options.whenFull,
    reserveBytes: options.diskReserveMib * 2 ** 20,
    ...(options.outboxAge > 0 && { ageMaxMs: options.outboxAge * 1000 }),
  });
  if (outbox.size > 0) say(`${outbox.size} frames wait in the outbox`);
  const link = new MqttLink({
    clientId: edgeClientId(survey, device),
    statusTopic: deviceStatusTopic(survey, device),
    ...(options.perWakeup > 1 && { gatherMs: GATHER_MS }),
    onProblem: say,
    ...access,
  });
  try {
    const agent = new EdgeAgent({
      encoder,
      outbox,
      link,
      survey,
      device,
      source: options.source,
      encoding: ENCODINGS[options.encoding],
      shards: options.shards,
      window: options.window,
      // The last of a folder are not worth waiting for.
      ...(!options.once && {
        perWakeup: options.perWakeup,
        wakeupAfterMs: options.wakeupAfter * 1000,
      }),
      qos: options.qos === "0" ? 0 : 1,
      ackTimeoutMs: options.ackTimeout,
      once: options.once ?? false,
      onEvent: (event) => {
        const text = describe(event);
        if (text !== undefined) say(text);
      },
    });
    return await agent.run(stop);
  } finally {
    await link.close();
    await outbox.close();
  }
}

function describe(event: AgentEvent): string | undefined {
  switch (event.kind) {
    case "stored":
      return `record ${event.record} stored: ${event.bytes} bytes, encoded in ${event.msEncode.toFixed(1)} ms`;
    case "acknowledged":
      return `record ${partsOf(event.key).record} acknowledged after ${event.msWaited.toFixed(0)} ms`;
    case "refused":
      return `record ${partsOf(event.key).record} refused by central: ${event.reason}; set aside`;
    case "unreadable":
      return `central could not read a frame: ${event.reason}`;
    case "full":
      return `no room (${event.what} full): records wait in their folder`;
    case "lost":
      return `record ${event.record} lost: ${event.reason}`;
    case "busy":
      return `central is busy: ${event.window} frames under way at most`;
    case "problem":
      return event.message;
    case "sent":
      return undefined;
  }
}
