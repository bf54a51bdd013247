/** `epic central`: the central node. */
import { Command, Option } from "commander";
import { pino } from "pino";
import { CentralDecoder } from "../central/decoder.ts";
import { GapStore } from "../central/gaps.ts";
import { HttpEndpoint } from "../central/http.ts";
import { CentralMetrics } from "../central/metrics.ts";
import { OpenFrames } from "../central/openFrames.ts";
import { CentralService } from "../central/service.ts";
import { ResultStore } from "../central/store.ts";
import { EdgeEncoder } from "../edge/encoder.ts";
import { loadModelHalf } from "../io/modelFiles.ts";
import { mapsPng } from "../io/plots/maps.ts";
import { centralClientId, centralStatusTopic } from "../protocol/index.ts";
import { MqttLink } from "../transport/client.ts";
import { PhysicsCheck } from "../trust/index.ts";
import { addBrokerOptions, type BrokerOptions, brokerAccess } from "./brokerOptions.ts";
import { ClaimedShards, type ClaimShardsOptions } from "./claimShards.ts";
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
  MisuseError,
  parseIntOption,
  prepareTurbo,
  printJson,
} from "./common.ts";
import { stopSignal } from "./lifetime.ts";

interface Shards {
  served: number[];
  shards: number;
}

interface Options extends BrokerOptions, ComputeOptions, CheckFlags, JsonOptions {
  out: string;
  deadline: number;
  shards: Shards;
  claimWait: number;
  openMax: number;
  queueMax: number;
  http?: number;
  httpHost: string;
  pictures: boolean;
  logLevel: string;
}

const TICK_MS = 100;

export function centralCommand(): Command {
  const command = addBrokerOptions(new Command("central"))
    .description(
      "Run the central node: collect the devices' latents, decode each record when it is complete or\n" +
        "at its deadline, write OUT/{record}/velocity.npy, record.json and maps.png, acknowledge.",
    )
    .requiredOption("--out <dir>", "folder for the results")
    .option(
      "--deadline <ms>",
      "wait for missing devices at most, from a record's first frame",
      parseIntOption("--deadline", 0, 86_400_000),
      10_000,
    )
    .option("--shards <list>", "shards served of how many, as 0,1/4", parseShards, {
      served: [0],
      shards: 1,
    })
    .option(
      "--claim-wait <ms>",
      "how long to wait for another central process to object before serving its shards",
      parseIntOption("--claim-wait", 0, 3_600_000),
      1000,
    )
    .option(
      "--open-max <n>",
      "records held open at most",
      parseIntOption("--open-max", 1, 1_000_000),
      1024,
    )
    .option(
      "--queue-max <n>",
      "frames waiting to be handled at most; beyond it devices are told to send less",
      parseIntOption("--queue-max", 1, 1_000_000),
      1024,
    )
    .option(
      "--http <port>",
      "serve /healthz, /readyz and /metrics; 0 = any free port",
      parseIntOption("--http", 0, 65535),
    )
    .option("--http-host <host>", "address to serve them at", "127.0.0.1")
    .option("--no-pictures", "write no maps.png: drawing takes longer than all the rest")
    .addOption(
      new Option("--log-level <level>", "of the log on stderr")
        .choices(["error", "warn", "info", "debug"])
        .default("info"),
    );
  addCheckOptions(command, "latentMisfit, into record.json,");
  return addJsonOption(addComputeOptions(command)).action(action(central));
}

async function central(options: Options): Promise<void> {
  prepareTurbo(options);
  const stop = stopSignal();
  await checkOutputFolder(options.out);
  const { survey } = options;
  const access = await brokerAccess(options, { role: "central", survey });
  const weights = await loadModelHalf("central", options.model);
  const decoder = await CentralDecoder.load({
    weights,
    ...(options.module && { module: options.module }),
  });
  decoder.warmup();
  const check = options.check ? await loadCheck(options, decoder.modelId) : undefined;
  const log = pino({ level: options.logLevel }, pino.destination({ fd: 2, sync: true }));
  const onProblem = (problem: string) => log.warn(problem);
  const { modelId, module, config } = decoder;
  const metrics = new CentralMetrics({ modelId, module, name: config.name });
  const store = await ResultStore.open(options.out, survey, {
    coder: decoder.coder,
    thread: true,
  });
  let service: CentralService | undefined;
  const claim = claimShards(options, access, onProblem);
  let http: HttpEndpoint | undefined;
  try {
    if (options.http !== undefined) {
      const { http: port, httpHost: host } = options;
      const unready = () => (service === undefined ? "shards not claimed yet" : service.unready());
      http = await HttpEndpoint.start({ port, host, registry: metrics.registry, unready });
    }
    await claim.held(stop);
    const { served, shards } = options.shards;
    const link = new MqttLink({
      clientId: centralClientId(survey, served, shards),
      statusTopic: centralStatusTopic(survey, served, shards),
      onProblem,
      ...access,
    });
    service = new CentralService({
      ...serviceOptions(options, decoder),
      ...(check && { check }),
      ...{ decoder, link, store, metrics, log, survey, served, shards },
    });
    log.info(
      { modelId, module, moduleReason: decoder.moduleReason, served, shards, http: http?.port },
      "started",
    );
    await serve(service, link, () => claim.lost(stop));
    if (options.json) printJson({ survey, modelId, module, ...service.totals() });
  } finally {
    await store.close();
    await claim.release();
    await http?.close();
  }
}

function claimShards(
  { survey, shards: { served, shards }, claimWait: waitMs }: Options,
  access: ClaimShardsOptions["access"],
  onProblem: (problem: string) => void,
): ClaimedShards {
  return new ClaimedShards({ survey, served, shards, waitMs, access, onProblem });
}

function serviceOptions(options: Options, { config, coder }: CentralDecoder) {
  const { geometry } = config;
  return {
    gaps: new GapStore(options.out),
    openFrames: new OpenFrames(options.out, coder),
    deadlineMs: options.deadline,
    openMax: options.openMax,
    queueMax: options.queueMax,
    ...(options.pictures && {
      draw: (map: Float32Array, title: string) => mapsPng({ prediction: map, geometry, title }),
    }),
    now: Date.now,
  };
}

/** Runs the service until `end` settles, and closes the link. */
async function serve(
  service: CentralService,
  link: MqttLink,
  end: () => Promise<void>,
): Promise<void> {
  let ticker: NodeJS.Timeout | undefined;
  try {
    await service.start();
    ticker = setInterval(() => service.tick(), TICK_MS);
    // Open records are left as they are: their frames are not acknowledged, so they come again.
    await end().finally(() => service.settled());
  } finally {
    clearInterval(ticker);
    await link.close();
  }
}

/** A check needs the devices' half of the model as well. */
async function loadCheck(options: Options, modelId: string): Promise<PhysicsCheck> {
  const weights = await loadModelHalf("edge", options.model);
  const encoder = await EdgeEncoder.load({
    weights,
    ...(options.module && { module: options.module }),
  });
  if (encoder.modelId !== modelId) {
    throw new Error(`model: expected edge weights of model ${modelId}, got ${encoder.modelId}`);
  }
  encoder.warmup();
  return PhysicsCheck.load({
    encoder,
    boundary: options.checkBoundary ?? defaultCheckBoundary,
  });
}

/** `0,1/4` -> shards 0 and 1 of 4. */
function parseShards(text: string): Shards {
  const match = /^(\d{1,5}(?:,\d{1,5})*)\/(\d{1,5})$/.exec(text);
  const served = match?.[1]?.split(",").map(Number) ?? [];
  const shards = Number(match?.[2]);
  if (
    served.length === 0 ||
    new Set(served).size < served.length ||
    Math.max(...served) >= shards
  ) {
    throw new MisuseError(`--shards: expected shard numbers of how many, as 0,1/4, got "${text}"`);
  }
  return { served, shards };
}
