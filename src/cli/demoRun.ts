/** The demo's processes: a broker in this one, an edge process per device, one central process. */
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { type RecordDocument, ResultStore } from "../central/store.ts";
import { selectReceivers } from "../edge/receivers.ts";
import { readNpy, writeNpy } from "../io/npy.ts";
import type { Geometry } from "../model/config.ts";
import {
  ackTopic,
  centralStatusTopic,
  decodeAck,
  deviceStatusTopic,
  edgeClientId,
  latentTopic,
} from "../protocol/index.ts";
import { Broker } from "../transport/broker.ts";
import type { LinkBytes } from "../transport/meter.ts";
import { CommandProcess } from "./childProcess.ts";

const survey = "demo";
const record = 1n;
const READY_TIMEOUT_MS = 30_000;
const RESULT_TIMEOUT_MS = 60_000;

export interface DemoProcesses {
  geometry: Geometry;
  /** Passed on to every child: --model, --module, --turbo. */
  computeArgs: readonly string[];
  /** TCP port of the broker; 0 = any free one. */
  port: number;
  /** --encoding of the edge processes. */
  encoding: string;
}

/** What one device reports when it ends. */
const edgeReport = z.object({
  device: z.number().int(),
  acknowledged: z.number().int(),
  payloadBytes: z.number().int(),
  msEncode: z.number(),
  msAcknowledge: z.number(),
});

export type EdgeReport = z.infer<typeof edgeReport> & { bytes: LinkBytes };

/** One record's way through the processes. */
export interface DemoTransit {
  /** [rows][columns], m/s: what the central process committed. */
  map: Float32Array;
  document: RecordDocument;
  /** Records in place -> last latent at the broker. */
  msToBroker: number;
  /** Last latent at the broker -> decoding begins. */
  msToDecoder: number;
  /** Decoding done -> last acknowledgement at the broker, the result being on disk. */
  msCommit: number;
}

/**
 * Starts everything, and stops it all again whatever happens. Use:
 * `start`, `transmit` once, `finish`; `dispose` always.
 */
export class DemoCluster {
  readonly #setup: DemoProcesses;
  readonly #scratch: string;
  readonly #stop: AbortSignal;
  #broker: Broker | undefined;
  #edges: CommandProcess[] = [];
  #central: CommandProcess | undefined;
  #edgeReports: EdgeReport[] = [];

  static async create(setup: DemoProcesses, stop: AbortSignal): Promise<DemoCluster> {
    const scratch = await mkdtemp(join(tmpdir(), "epic-demo-"));
    return new DemoCluster(setup, scratch, stop);
  }

  private constructor(setup: DemoProcesses, scratch: string, stop: AbortSignal) {
    this.#setup = setup;
    this.#scratch = scratch;
    this.#stop = stop;
  }

  /** Resolves when the central process and all devices are online. */
  async start(): Promise<void> {
    const { geometry, computeArgs, port, encoding } = this.#setup;
    const broker = await Broker.start({ port });
    this.#broker = broker;
    const waiting = new Set([centralStatusTopic(survey, [0], 1)]);
    for (const device of geometry.devices.keys()) waiting.add(deviceStatusTopic(survey, device));
    const ready = heard(broker, `epic/v1/${survey}/status/#`, (topic, payload) => {
      if (Buffer.from(payload).toString() === "online") waiting.delete(topic);
      return waiting.size === 0;
    });
    const common = ["--broker", broker.url, "--survey", survey, "--json", ...computeArgs];
    // Nobody else can reach this broker's survey in time to object.
    const alone = ["--out", join(this.#scratch, "results"), "--claim-wait", "0"];
    this.#central = new CommandProcess("central", ["central", ...common, ...alone]);
    for (const device of geometry.devices.keys()) {
      const source = this.#sourceOf(device);
      await mkdir(source);
      const outbox = join(this.#scratch, `outbox-${device}`);
      const own = ["--device", `${device}`, "--source", source, "--outbox", outbox];
      own.push("--encoding", encoding);
      this.#edges.push(new CommandProcess(`edge ${device}`, ["edge", ...common, ...own]));
    }
    await this.#guard(ready, READY_TIMEOUT_MS, () => `online: ${[...waiting].join(", ")}`);
  }

  /**
   * Gives each device its own receivers' traces and waits for the committed result.
   * @param traces [shots][samples][receivers]; no child sees more than its part of it
   */
  async transmit(traces: Float32Array): Promise<DemoTransit> {
    const broker = this.#inUse();
    const { devices } = this.#setup.geometry;
    const topics = (make: typeof ackTopic) =>
      new Set(Array.from(devices.keys(), (device) => make(survey, 0, device)));
    const unsent = topics(latentTopic);
    const unanswered = topics(ackTopic);
    let lastLatent = 0;
    const sent = heard(broker, `epic/v1/${survey}/0/latent/+`, (topic) => {
      if (unsent.delete(topic)) lastLatent = clock();
      return unsent.size === 0;
    });
    const answered = heard(broker, `epic/v1/${survey}/0/ack/+`, (topic, payload) => {
      const ack = decodeAck(payload);
      if (ack?.status === "refused") throw new Error(`demo: central refused: ${ack.reason}`);
      if (ack?.status === "committed") unanswered.delete(topic);
      return unanswered.size === 0;
    });
    await this.#writeRecords(traces);
    const start = clock();
    await this.#guard(sent, RESULT_TIMEOUT_MS, () => `latents: ${[...unsent].join(", ")}`);
    await this.#guard(
      answered,
      RESULT_TIMEOUT_MS,
      () => `result for ${[...unanswered].join(", ")}`,
    );
    const end = clock();
    const store = await ResultStore.open(join(this.#scratch, "results"), survey);
    const document = await store.document(record);
    if (document === undefined) throw new Error("demo: expected a committed record, got none");
    const { data } = await readNpy(join(store.folderOf(record), "velocity.npy"));
    const decodeStart = document.decodedMs - document.msDecode;
    return {
      map: data,
      document,
      msToBroker: lastLatent - start,
      // The central process reads the clock in whole milliseconds.
      msToDecoder: Math.max(0, decodeStart - lastLatent),
      msCommit: Math.max(0, end - document.decodedMs),
    };
  }

  /** Ends the children and collects what the devices report. */
  async finish(): Promise<readonly EdgeReport[]> {
    const broker = this.#inUse();
    const outputs = await Promise.all(this.#edges.map((edge) => edge.stop()));
    await this.#central?.stop();
    const bytes = broker.bytes();
    this.#edgeReports = outputs.map((output, device) => {
      const report = edgeReport.parse(JSON.parse(output));
      const link = bytes.get(edgeClientId(survey, device));
      if (link === undefined) throw new Error(`demo: expected traffic of edge ${device}, got none`);
      return { ...report, bytes: link };
    });
    return this.#edgeReports;
  }

  /** Stops what still runs and removes the scratch folder. */
  async dispose(): Promise<void> {
    const children = [...this.#edges, ...(this.#central ? [this.#central] : [])];
    await Promise.all(children.map((child) => child.stop()));
    await this.#broker?.close();
    await rm(this.#scratch, { recursive: true, force: true });
  }

  #inUse(): Broker {
    if (this.#broker === undefined) throw new Error("demo: expected a started cluster, got none");
    return this.#broker;
  }

  #sourceOf(device: number): string {
    return join(this.#scratch, `records-${device}`);
  }

  async #writeRecords(traces: Float32Array): Promise<void> {
    const { shots, samples, receivers, devices } = this.#setup.geometry;
    const name = `record-${record}.npy`;
    const hidden = devices.map((_, device) => join(this.#sourceOf(device), `.${name}.part`));
    for (const [device, block] of devices.entries()) {
      const own = new Float32Array(shots * samples * block.receivers);
      selectReceivers(traces, receivers, block, own);
      await writeNpy(hidden[device]!, [shots, samples, block.receivers], own);
    }
    await Promise.all(
      hidden.map((path, device) => rename(path, join(this.#sourceOf(device), name))),
    );
  }

  /** Waits for `event`, a child's early end, the user, or the time-out: whichever comes first. */
  async #guard(event: Promise<void>, timeoutMs: number, missing: () => string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const children = [...this.#edges, ...(this.#central ? [this.#central] : [])];
    const timeout = new Promise<never>((_, reject) => {
      const late = () => reject(new Error(`demo: expected within ${timeoutMs} ms: ${missing()}`));
      timer = setTimeout(late, timeoutMs);
    });
    const interrupted = new Promise<never>((_, reject) => {
      const stop = () => reject(new Error("demo: interrupted"));
      if (this.#stop.aborted) stop();
      else this.#stop.addEventListener("abort", stop, { once: true });
    });
    try {
      const ends = children.map((child) => child.unexpectedEnd());
      await Promise.race([event, timeout, interrupted, ...ends]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Resolves at the first message under `filter` for which `done` is true; rejects if it throws. */
function heard(
  broker: Broker,
  filter: string,
  done: (topic: string, payload: Uint8Array) => boolean,
): Promise<void> {
  const event = new Promise<void>((resolve, reject) => {
    broker.tap(filter, (topic, payload) => {
      try {
        if (done(topic, payload)) resolve();
      } catch (error) {
        reject(error as Error);
      }
    });
  });
  // Someone may stop waiting for it before it fails.
  event.catch(() => {});
  return event;
}

/** Wall clock with fractions of a millisecond, to compare with the central process's. */
function clock(): number {
  return performance.timeOrigin + performance.now();
}
