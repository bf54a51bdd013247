import type { ModelConfig } from "../model/config.ts";
import {
  type Ack,
  ackTopic,
  decodeFrame,
  deviceStatusFilter,
  encodeAck,
  FrameError,
  type LatentFrame,
  type LinkMessage,
  latentFilter,
  type MessageLink,
  parseLatentTopic,
  shardOf,
} from "../protocol/index.ts";
import { type OpenRecord, type ReceivedFrame, RecordAssembler } from "./assembler.ts";
import type { CentralMetrics } from "./metrics.ts";
import type { RecordDocument, ResultStore } from "./store.ts";

/** What the service needs of a CentralDecoder. */
export interface Decoder {
  readonly config: ModelConfig;
  readonly modelId: string;
  readonly module: string;
  decode(
    latents: Int8Array,
    options?: { present?: readonly boolean[]; out?: Float32Array },
  ): Float32Array;
}

/** The few calls of a pino logger that are used. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ServiceOptions {
  decoder: Decoder;
  link: MessageLink;
  store: ResultStore;
  metrics: CentralMetrics;
  log: Log;
  survey: string;
  /** Which of how many shards this process serves. */
  served: readonly number[];
  shards: number;
  /** How long a record waits for missing devices after its first frame. */
  deadlineMs: number;
  openMax?: number;
  /** Draws a map for `maps.png`; no picture when absent. */
  draw?: (map: Float32Array, title: string) => Uint8Array;
  /** Wall clock, ms. */
  now: () => number;
}

/** Why a readable frame is refused; docs/protocol.md lists them. */
type Refusal = "wrong-topic" | "unknown-model" | "wrong-geometry" | "other-model";

interface Sender {
  readonly shard: number;
  readonly device: number;
}

/**
 * The central node: collects latents, decodes records, commits results, acknowledges. Frames are
 * handled one after the other; how many can queue is bounded by the devices' windows.
 */
export class CentralService {
  readonly #options: ServiceOptions;
  readonly #assembler: RecordAssembler;
  readonly #latents: Int8Array;
  readonly #latentLength: number;
  readonly #totals = { committed: 0, partial: 0, refined: 0, framesTaken: 0, framesRefused: 0 };
  #work: Promise<void> = Promise.resolve();

  constructor(options: ServiceOptions) {
    this.#options = options;
    const { geometry, latent } = options.decoder.config;
    this.#latentLength = latent.slots * latent.channels;
    this.#latents = new Int8Array(geometry.devices.length * this.#latentLength);
    this.#assembler = new RecordAssembler({
      devices: geometry.devices.length,
      deadlineMs: options.deadlineMs,
      ...(options.openMax !== undefined && { openMax: options.openMax }),
    });
    options.link.onMessage((message) => this.#enqueue(() => this.#receive(message)));
  }

  /** Subscribes to the shards' latents and to the devices' status. */
  async start(): Promise<void> {
    const { link, survey, served } = this.#options;
    const latents = served.map((shard) => latentFilter(survey, shard));
    await link.subscribe([...latents, deviceStatusFilter(survey)]);
  }

  /** Decodes what is past its deadline. Call it a few times per second. */
  tick(): void {
    for (const record of this.#assembler.due(this.#options.now())) {
      this.#enqueue(() => this.#finish(record));
    }
  }

  /** Resolves when all that was received so far is handled. */
  async settled(): Promise<void> {
    await this.#work;
  }

  /** What the service did since it started. */
  totals(): Readonly<
    Record<"committed" | "partial" | "refined" | "framesTaken" | "framesRefused", number>
  > {
    return { ...this.#totals };
  }

  /** Decodes every open record with what it has, so that nothing is left to send again. */
  async drain(): Promise<void> {
    for (const record of this.#assembler.due(Number.POSITIVE_INFINITY)) {
      this.#enqueue(() => this.#finish(record));
    }
    await this.#work;
  }

  #enqueue(task: () => Promise<void>): void {
    this.#work = this.#work.then(task).catch((error: Error) => {
      // Nothing was acknowledged, so the devices send again.
      this.#options.log.error({ error: error.message }, "a frame or record could not be handled");
    });
  }

  async #receive({ topic, payload }: LinkMessage): Promise<void> {
    const { metrics, log, survey } = this.#options;
    const parts = parseLatentTopic(topic);
    if (parts === undefined) {
      this.#deviceStatus(topic, payload);
      return;
    }
    let frame: LatentFrame;
    try {
      frame = decodeFrame(payload);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      metrics.frames.inc({ outcome: "unreadable" });
      this.#totals.framesRefused++;
      metrics.refused.inc({ reason: error.code });
      log.warn({ topic, reason: error.code, detail: error.message }, "frame unreadable");
      await this.#acknowledge(parts, { status: "unreadable", reason: error.code });
      return;
    }
    const refusal = this.#check(frame, parts.survey === survey ? parts : undefined);
    if (refusal !== undefined) await this.#refuse(frame, parts, refusal);
    else await this.#take({ frame, bytes: payload, receivedMs: this.#options.now() });
  }

  #check(frame: LatentFrame, sender: Sender | undefined): Refusal | undefined {
    const { decoder, survey, shards } = this.#options;
    const { devices } = decoder.config.geometry;
    const shard = shardOf(frame.record, shards);
    if (frame.survey !== survey || sender?.shard !== shard || sender.device !== frame.device) {
      return "wrong-topic";
    }
    if (frame.modelId !== decoder.modelId) return "unknown-model";
    const block = devices[frame.device];
    const fits =
      frame.devices === devices.length &&
      block?.firstReceiver === frame.firstReceiver &&
      block.receivers === frame.receivers &&
      frame.latent.length === this.#latentLength;
    return fits ? undefined : "wrong-geometry";
  }

  async #take(received: ReceivedFrame): Promise<void> {
    const { metrics, now } = this.#options;
    const { record, modelId } = received.frame;
    if (!this.#assembler.has(record) && !(await this.#reopen(received))) return;
    const acceptance = this.#assembler.accept(received);
    metrics.frames.inc({ outcome: acceptance.kind });
    metrics.openRecords.set(this.#assembler.size);
    if (acceptance.kind === "other-model") {
      await this.#refuse(received.frame, this.#senderOf(received.frame), "other-model");
    } else if (acceptance.kind === "committed") {
      await this.#acknowledge(this.#senderOf(received.frame), {
        status: "committed",
        record,
        modelId,
      });
    } else if (acceptance.kind === "taken") {
      metrics.payloadBytes.inc(payloadLength(received.frame));
      this.#totals.framesTaken++;
      if (acceptance.ready) await this.#finish(record);
      for (const due of this.#assembler.due(now())) await this.#finish(due);
    }
  }

  /**
   * Opens the record of a frame, with its committed result if there is one. False when the frame is
   * answered already: it is part of that result, or of another model than that.
   */
  async #reopen({ frame }: ReceivedFrame): Promise<boolean> {
    const { store, metrics, now } = this.#options;
    const { record, modelId, device } = frame;
    const stored = await store.load(record);
    if (stored !== undefined && stored.document.modelId !== modelId) {
      await this.#refuse(frame, this.#senderOf(frame), "other-model");
      return false;
    }
    if (stored?.document.devicesPresent.includes(device)) {
      metrics.frames.inc({ outcome: "committed" });
      await this.#acknowledge(this.#senderOf(frame), { status: "committed", record, modelId });
      return false;
    }
    this.#assembler.open(record, modelId, stored?.frames ?? [], now());
    return true;
  }

  /** Decodes a record with the frames it has, commits the result, acknowledges its new frames. */
  async #finish(record: bigint): Promise<void> {
    const { decoder, store, metrics, log, draw } = this.#options;
    const open = this.#assembler.take(record);
    metrics.openRecords.set(this.#assembler.size);
    if (open === undefined) return;
    const previous = open.committed.size > 0 ? (await store.load(record))?.document : undefined;
    const start = performance.now();
    const map = this.#decode(open);
    const msDecode = performance.now() - start;
    const frames = open.frames.filter((received) => received !== undefined);
    const document = this.#document(open, frames, msDecode, (previous?.revision ?? 0) + 1);
    const picture = draw?.(map, `record ${record}`);
    await store.commit(record, { document, map, frames, ...(picture && { picture }) });
    metrics.decodeSeconds.observe(msDecode / 1000);
    metrics.waitSeconds.observe(document.msWait / 1000);
    const outcome = outcomeOf(document);
    metrics.records.inc({ outcome });
    this.#totals.committed++;
    if (outcome !== "complete") this.#totals[outcome]++;
    const { devicesPresent, devicesMissing, revision } = document;
    log.info(
      { record: document.record, devicesPresent, devicesMissing, revision, msDecode },
      "record committed",
    );
    for (const { frame } of frames) {
      if (open.committed.has(frame.device)) continue;
      const ack: Ack = { status: "committed", record, modelId: decoder.modelId };
      await this.#acknowledge(this.#senderOf(frame), ack);
    }
  }

  /** [rows][columns], m/s, in a fresh array. */
  #decode(open: OpenRecord): Float32Array {
    this.#latents.fill(0);
    open.frames.forEach((received, device) => {
      if (received) this.#latents.set(received.frame.latent, device * this.#latentLength);
    });
    const present = open.frames.map((received) => received !== undefined);
    return this.#options.decoder.decode(this.#latents, { present }).slice();
  }

  #document(
    open: OpenRecord,
    frames: readonly ReceivedFrame[],
    msDecode: number,
    revision: number,
  ): RecordDocument {
    const { decoder, survey, now } = this.#options;
    const { map, dxM } = decoder.config.geometry;
    const decodedMs = now();
    return {
      survey,
      record: open.record.toString(),
      modelId: open.modelId,
      module: decoder.module,
      revision,
      devicesPresent: frames.map(({ frame }) => frame.device),
      devicesMissing: open.frames.flatMap((received, device) => (received ? [] : [device])),
      frames: frames.map(({ frame, bytes, receivedMs }) => ({
        device: frame.device,
        acquiredNs: frame.acquiredNs.toString(),
        receivedMs,
        bytes: bytes.length,
      })),
      payloadBytes: sum(frames.map(({ frame }) => payloadLength(frame))),
      frameBytes: sum(frames.map(({ bytes }) => bytes.length)),
      msWait: decodedMs - open.openedMs,
      msDecode,
      decodedMs,
      map: { shape: [...map], dxM, unit: "m/s" },
    };
  }

  #senderOf(frame: LatentFrame): Sender {
    return { shard: shardOf(frame.record, this.#options.shards), device: frame.device };
  }

  async #refuse(frame: LatentFrame, sender: Sender, reason: Refusal): Promise<void> {
    const { metrics, log } = this.#options;
    const { record, modelId, device } = frame;
    metrics.frames.inc({ outcome: "refused" });
    this.#totals.framesRefused++;
    metrics.refused.inc({ reason });
    log.warn({ record: record.toString(), device, modelId, reason }, "frame refused");
    await this.#acknowledge(sender, { status: "refused", record, modelId, reason });
  }

  /** A lost acknowledgement is repaired by the device: it sends again and is answered again. */
  async #acknowledge({ shard, device }: Sender, ack: Ack): Promise<void> {
    const { link, survey } = this.#options;
    await link.publish(ackTopic(survey, shard, device), encodeAck(ack)).catch(() => {});
  }

  #deviceStatus(topic: string, payload: Uint8Array): void {
    const device = /\/status\/device\/(\d{1,5})$/.exec(topic)?.[1];
    if (
      device === undefined ||
      Number(device) >= this.#options.decoder.config.geometry.devices.length
    )
      return;
    const online = Buffer.from(payload).toString() === "online";
    this.#options.metrics.deviceUp.set({ device }, online ? 1 : 0);
    this.#options.log.info({ device: Number(device), online }, "device status");
  }
}

function outcomeOf({
  revision,
  devicesMissing,
}: RecordDocument): "complete" | "partial" | "refined" {
  if (revision > 1) return "refined";
  return devicesMissing.length > 0 ? "partial" : "complete";
}

/** Bytes that the latent takes in its frame's encoding. */
function payloadLength({ latent, encoding }: LatentFrame): number {
  return encoding === 1 ? latent.length / 2 : latent.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
