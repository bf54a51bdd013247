import type { ModelConfig } from "../model/config.ts";
import {
  type Ack,
  ackTopic,
  committedAcks,
  type DeviceTopic,
  decodeGapNotice,
  decodeLatent,
  deviceStatusFilter,
  Encoding,
  encodeAck,
  FRAME_OVERHEAD_BYTES,
  FrameError,
  type FrameHeader,
  gapFilter,
  type LatentCoder,
  type LatentFrame,
  type LinkMessage,
  latentFilter,
  type MessageLink,
  parseGapTopic,
  parseLatentTopic,
  readFrameHeader,
  shardOf,
} from "../protocol/index.ts";
import { type OpenRecord, type ReceivedFrame, RecordAssembler } from "./assembler.ts";
import type { GapStore } from "./gaps.ts";
import type { CentralMetrics } from "./metrics.ts";
import type { OpenFrames } from "./openFrames.ts";
import type { RecordDocument, RecordResult, ResultStore } from "./store.ts";

/** What the service needs of a CentralDecoder. */
export interface Decoder {
  readonly config: ModelConfig;
  readonly modelId: string;
  readonly module: string;
  /** Needed for frames of encoding 2 alone. */
  readonly coder?: LatentCoder | undefined;
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
  gaps: GapStore;
  openFrames: OpenFrames;
  metrics: CentralMetrics;
  log: Log;
  survey: string;
  /** Which of how many shards this process serves. */
  served: readonly number[];
  shards: number;
  /** How long a record waits for missing devices after its first frame. */
  deadlineMs: number;
  openMax?: number;
  /** Frames of a record that waits longer than this are put on disk and acknowledged. Default 250. */
  keepAfterMs?: number;
  /** Frames received and not handled yet, at most; what comes beyond is left to come again. Default 1024. */
  queueMax?: number;
  /** Draws a map for `maps.png`; no picture when absent. */
  draw?: (map: Float32Array, title: string) => Uint8Array;
  /** `latentMisfit` of a map, given what it was decoded from; not asked for when absent. */
  check?: LatentCheck;
  /** Wall clock, ms: what documents state. */
  now: () => number;
  /** Milliseconds on a steady clock, for deadlines: a wall clock may jump. Default performance.now. */
  steadyNow?: () => number;
}

/** What the service needs of a PhysicsCheck. */
export interface LatentCheck {
  readonly boundary: "openfwi" | "fast";
  latentMisfit(
    map: Float32Array,
    latents: Int8Array,
    options: { present: readonly boolean[] },
  ): number;
}

const QUEUE_MAX = 1024;
const KEEP_AFTER_MS = 250;
/** A result that could not be written is tried again after this. */
const RETRY_MS = 5000;
/**
 * Results being written at once. Writing is mostly waiting for the disk, which takes several syncs
 * in the time of one; the next record is decoded meanwhile.
 */
const COMMITS_MAX = 16;
/** While more is on its way to the disk, acknowledgements are held back so long, to go in one message. */
const ACK_GATHER_MS = 200;
/** A device that has so many to come is told at once: it may be waiting for room in its window, 8 by default. */
const ACK_GATHER_MAX = 8;
/** An overloaded service does not tell each device more often than this. */
const BUSY_EVERY_MS = 250;

/** Why a readable frame is refused; docs/protocol.md lists them. */
type Refusal = "wrong-topic" | "unknown-model" | "no-tables" | "wrong-geometry" | "other-model";

interface Sender {
  readonly shard: number;
  readonly device: number;
}

/**
 * The central node: collects latents, decodes records, commits results, acknowledges. Frames are
 * handled one after the other; results are written several at once. What may queue is bounded: a frame that finds the queue full is left
 * unread and unacknowledged, and its device, told "busy", sends it again later.
 */
export class CentralService {
  readonly #options: ServiceOptions;
  readonly #assembler: RecordAssembler;
  readonly #latents: Int8Array;
  readonly #latentLength: number;
  readonly #totals = { committed: 0, partial: 0, refined: 0, framesTaken: 0, framesRefused: 0 };
  readonly #steadyNow: () => number;
  readonly #queueMax: number;
  readonly #keepAfterMs: number;
  /** When each device was last told to send less. */
  readonly #toldBusyMs = new Map<number, number>();
  /** Records to be acknowledged as committed in a moment, by shard and device. */
  readonly #committedFor = new Map<string, { sender: Sender; records: Set<bigint> }>();
  #sayTimer: NodeJS.Timeout | undefined;
  #queued = 0;
  /** Tasks that have not ended: frames received, records to be kept or finished. */
  #tasks = 0;
  #commitFails = false;
  #work: Promise<void> = Promise.resolve();
  /** Results being written; a further frame of their records waits for them. */
  readonly #commits = new Map<bigint, Promise<void>>();

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#steadyNow = options.steadyNow ?? (() => performance.now());
    this.#queueMax = options.queueMax ?? QUEUE_MAX;
    this.#keepAfterMs = options.keepAfterMs ?? KEEP_AFTER_MS;
    const { geometry, latent } = options.decoder.config;
    this.#latentLength = latent.slots * latent.channels;
    this.#latents = new Int8Array(geometry.devices.length * this.#latentLength);
    this.#assembler = new RecordAssembler({
      devices: geometry.devices.length,
      deadlineMs: options.deadlineMs,
      ...(options.openMax !== undefined && { openMax: options.openMax }),
    });
    options.link.onMessage((message) => this.#arrive(message));
  }

  /** Subscribes to the shards' latents and gap notices, and to the devices' status. */
  async start(): Promise<void> {
    const { link, survey, served } = this.#options;
    await this.#takeUp();
    const own = served.flatMap((shard) => [latentFilter(survey, shard), gapFilter(survey, shard)]);
    await link.subscribe([...own, deviceStatusFilter(survey)]);
  }

  /** Why records cannot be received and committed now; undefined while they can. */
  unready(): string | undefined {
    if (!this.#options.link.connected) return "no broker";
    if (this.#commitFails) return "results cannot be written";
    return this.#queued >= this.#queueMax ? "overloaded" : undefined;
  }

  /** Decodes what is past its deadline, keeps what waits. Call it a few times per second. */
  tick(): void {
    const now = this.#steadyNow();
    for (const record of this.#assembler.due(now)) {
      this.#enqueue(() => this.#finish(record));
    }
    for (const { record } of this.#assembler.unkept(now - this.#keepAfterMs)) {
      this.#enqueue(() => this.#keep(record));
    }
  }

  /** Resolves when all that was received so far is handled. */
  async settled(): Promise<void> {
    await this.#work;
    await Promise.all(this.#commits.values());
    await this.#sayCommitted();
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
    await this.settled();
  }

  #enqueue(task: () => Promise<void>): void {
    this.#tasks++;
    this.#work = this.#work
      .then(task)
      .catch((error: Error) => this.#failed(error))
      .finally(() => {
        this.#tasks--;
        this.#sayWhenIdle();
      });
  }

  /** Nothing was acknowledged, so the devices send again. */
  #failed(error: Error): void {
    this.#options.log.error({ error: error.message }, "a frame or record could not be handled");
  }

  #arrive(message: LinkMessage): void {
    const { topic, payload } = message;
    const parts = parseLatentTopic(topic);
    if (parts === undefined) {
      const gap = parseGapTopic(topic);
      if (gap === undefined) this.#deviceStatus(topic, payload);
      else this.#enqueue(() => this.#noteGap(gap, payload));
      return;
    }
    if (this.#queued >= this.#queueMax) {
      this.#options.metrics.frames.inc({ outcome: "shed" });
      this.#tellBusy(parts);
      return;
    }
    this.#countQueued(1);
    this.#enqueue(() => this.#receive(parts, message).finally(() => this.#countQueued(-1)));
  }

  #countQueued(change: number): void {
    this.#queued += change;
    this.#options.metrics.queuedFrames.set(this.#queued);
  }

  #tellBusy({ shard, device }: DeviceTopic): void {
    if (device >= this.#options.decoder.config.geometry.devices.length) return;
    const now = this.#steadyNow();
    if (now - (this.#toldBusyMs.get(device) ?? Number.NEGATIVE_INFINITY) < BUSY_EVERY_MS) return;
    this.#toldBusyMs.set(device, now);
    void this.#acknowledge({ shard, device }, { status: "busy" });
  }

  /** Puts a device's loss on disk and says so. What cannot be one is left unanswered. */
  async #noteGap({ survey, shard, device }: DeviceTopic, payload: Uint8Array): Promise<void> {
    const { gaps, log, metrics, now } = this.#options;
    const gap = decodeGapNotice(payload);
    const known = device < this.#options.decoder.config.geometry.devices.length;
    if (gap === undefined || survey !== this.#options.survey || !known) {
      log.warn({ device }, "gap notice unreadable");
      return;
    }
    await gaps.note(device, gap, now());
    const { from, to, lost, reason } = gap;
    metrics.gapFrames.inc({ reason }, Number(lost));
    log.warn({ device, from: `${from}`, to: `${to}`, lost: `${lost}`, reason }, "gap");
    await this.#acknowledge({ shard, device }, { status: "noted", gap });
  }

  async #receive(parts: DeviceTopic, { topic, payload }: LinkMessage): Promise<void> {
    const { survey } = this.#options;
    try {
      const header = readFrameHeader(payload);
      if (header.device !== parts.device) {
        // Whose frame it is cannot be told: a refusal could take the good frame of another device.
        await this.#refuseUnread(parts, "wrong-topic", topic);
        return;
      }
      const sender = parts.survey === survey ? parts : undefined;
      const refusal = this.#check(header, sender);
      if (refusal !== undefined) {
        await this.#refuse(header, parts, refusal);
        return;
      }
      const frame = decodeLatent(header, this.#options.decoder.coder);
      if (frame.latent.length !== this.#latentLength) {
        await this.#refuse(frame, parts, "wrong-geometry");
        return;
      }
      await this.#take({ frame, bytes: payload, receivedMs: this.#options.now() });
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      await this.#refuseUnread(parts, error.code, error.message);
    }
  }

  async #refuseUnread(from: DeviceTopic, reason: string, detail: string): Promise<void> {
    const { metrics, log } = this.#options;
    metrics.frames.inc({ outcome: "unreadable" });
    this.#totals.framesRefused++;
    metrics.refused.inc({ reason });
    log.warn({ device: from.device, reason, detail }, "frame unreadable");
    await this.#acknowledge(from, { status: "unreadable", reason });
  }

  #check(frame: FrameHeader, sender: Sender | undefined): Refusal | undefined {
    const { decoder, survey, shards } = this.#options;
    const { devices } = decoder.config.geometry;
    const shard = shardOf(frame.record, shards);
    if (frame.survey !== survey || sender?.shard !== shard) {
      return "wrong-topic";
    }
    if (frame.modelId !== decoder.modelId) return "unknown-model";
    if (frame.encoding === Encoding.entropy && decoder.coder === undefined) return "no-tables";
    const block = devices[frame.device];
    const fits =
      frame.devices === devices.length &&
      block?.firstReceiver === frame.firstReceiver &&
      block.receivers === frame.receivers;
    return fits ? undefined : "wrong-geometry";
  }

  async #take(received: ReceivedFrame): Promise<void> {
    const { metrics } = this.#options;
    const { record } = received.frame;
    await this.#commits.get(record);
    if (!this.#assembler.has(record) && !(await this.#reopen(received))) return;
    const acceptance = this.#assembler.accept(received);
    metrics.frames.inc({ outcome: acceptance.kind });
    metrics.openRecords.set(this.#assembler.size);
    if (acceptance.kind === "other-model") {
      await this.#refuse(received.frame, this.#senderOf(received.frame), "other-model");
    } else if (acceptance.kind === "committed" || acceptance.kind === "kept") {
      this.#acknowledgeCommitted(received.frame);
    } else if (acceptance.kind === "taken") {
      metrics.payloadBytes.inc(payloadLength(received));
      this.#totals.framesTaken++;
      if (acceptance.ready) await this.#finish(record);
      for (const due of this.#assembler.due(this.#steadyNow())) await this.#finish(due);
    }
  }

  /**
   * Opens the record of a frame, with its committed result if there is one. False when the frame is
   * answered already: it is part of that result, or of another model than that.
   */
  async #reopen({ frame }: ReceivedFrame): Promise<boolean> {
    const { store, metrics } = this.#options;
    const { record, modelId, device } = frame;
    const stored = await store.load(record);
    if (stored !== undefined && stored.document.modelId !== modelId) {
      await this.#refuse(frame, this.#senderOf(frame), "other-model");
      return false;
    }
    if (stored?.document.devicesPresent.includes(device)) {
      metrics.frames.inc({ outcome: "committed" });
      this.#acknowledgeCommitted(frame);
      return false;
    }
    this.#assembler.open(record, modelId, stored?.frames ?? [], this.#steadyNow());
    return true;
  }

  /** Opens the records that an earlier process has kept and not finished. */
  async #takeUp(): Promise<void> {
    const { openFrames, decoder, log, served, shards, store } = this.#options;
    const owns = (record: bigint) => served.includes(shardOf(record, shards));
    for (const record of await store.recover(owns)) {
      log.warn({ record: `${record}` }, "result put back from the journal");
    }
    for (const record of await openFrames.records()) {
      if (!owns(record)) continue;
      try {
        for (const received of await openFrames.load(record)) {
          const { modelId, device } = received.frame;
          if (modelId !== decoder.modelId) throw new Error(`frames of model ${modelId}`);
          if (!this.#assembler.has(record) && !(await this.#reopen(received))) continue;
          if (this.#assembler.accept(received).kind === "taken") {
            this.#assembler.get(record)?.kept.add(device);
          }
        }
      } catch (error) {
        // They stay on disk, for a process that can read them.
        const detail = (error as Error).message;
        log.error({ record: `${record}`, detail }, "kept frames cannot be taken up");
      }
    }
  }

  /** Puts the frames of a record that waits on disk and acknowledges them. */
  async #keep(record: bigint): Promise<void> {
    const { openFrames } = this.#options;
    const open = this.#assembler.get(record);
    if (open === undefined) return;
    const frames = open.frames.filter((received) => received !== undefined);
    const fresh = frames
      .map(({ frame }) => frame)
      .filter(({ device }) => !open.committed.has(device) && !open.kept.has(device));
    if (fresh.length === 0) return;
    await openFrames.keep(record, frames);
    for (const frame of fresh) {
      open.kept.add(frame.device);
      this.#acknowledgeCommitted(frame);
    }
  }

  /** Decodes a record and has the result committed; what fails is tried again if it was acknowledged. */
  async #finish(record: bigint): Promise<void> {
    while (this.#commits.size >= COMMITS_MAX) await Promise.race(this.#commits.values());
    const open = this.#assembler.take(record);
    this.#options.metrics.openRecords.set(this.#assembler.size);
    if (open === undefined) return;
    try {
      const result = await this.#resultOf(open);
      const commit = this.#commit(record, result)
        .then(() => this.#committed(open, result))
        .catch((error: Error) => {
          this.#restore(open);
          this.#failed(error);
        })
        .finally(() => {
          this.#commits.delete(record);
          this.#sayWhenIdle();
        });
      this.#commits.set(record, commit);
    } catch (error) {
      this.#restore(open);
      throw error;
    }
  }

  /** Frames that were acknowledged do not come again. */
  #restore(open: OpenRecord): void {
    if (open.kept.size > 0) this.#assembler.restore(open, this.#steadyNow(), RETRY_MS);
  }

  /** Decodes a record with the frames it has. */
  async #resultOf(open: OpenRecord): Promise<RecordResult> {
    const { store, draw } = this.#options;
    const { record } = open;
    const previous = open.committed.size > 0 ? (await store.load(record))?.document : undefined;
    const start = performance.now();
    const map = this.#decode(open);
    const msDecode = performance.now() - start;
    const trust = this.#trust(open, map);
    const frames = open.frames.filter((received) => received !== undefined);
    const document = {
      ...this.#document(open, frames, msDecode, (previous?.revision ?? 0) + 1),
      ...trust,
    };
    const picture = draw?.(map, `record ${record}`);
    return { document, map, frames, ...(picture && { picture }) };
  }

  /** Counts a result that is on disk, and acknowledges its new frames. */
  async #committed(open: OpenRecord, { document, frames }: RecordResult): Promise<void> {
    const { metrics, log, openFrames } = this.#options;
    const { record, devicesPresent, devicesMissing, revision, msDecode } = document;
    if (open.kept.size > 0) await openFrames.release(open.record);
    metrics.decodeSeconds.observe(msDecode / 1000);
    metrics.waitSeconds.observe(document.msWait / 1000);
    const outcome = outcomeOf(document);
    metrics.records.inc({ outcome });
    this.#totals.committed++;
    if (outcome !== "complete") this.#totals[outcome]++;
    log.info({ record, devicesPresent, devicesMissing, revision, msDecode }, "record committed");
    for (const { frame } of frames) {
      if (open.committed.has(frame.device) || open.kept.has(frame.device)) continue;
      this.#acknowledgeCommitted(frame);
    }
  }

  /**
   * How well the map explains the latents that `#decode` left in place. A failure is logged and
   * costs the figure, never the record.
   */
  #trust(open: OpenRecord, map: Float32Array): Pick<RecordDocument, "latentMisfit" | "check"> {
    const { check, metrics, log } = this.#options;
    if (check === undefined) return {};
    const start = performance.now();
    const present = open.frames.map((received) => received !== undefined);
    try {
      const misfit = check.latentMisfit(map, this.#latents, { present });
      // Silent latents have no norm to compare with.
      const latentMisfit = Number.isFinite(misfit) ? misfit : null;
      if (latentMisfit !== null) metrics.latentMisfit.observe(latentMisfit);
      return { latentMisfit, check: { boundary: check.boundary, ms: performance.now() - start } };
    } catch (error) {
      log.warn({ record: open.record.toString(), detail: (error as Error).message }, "no misfit");
      return {};
    }
  }

  /** Rejects when the result is not on disk: nothing is acknowledged then, so the frames come again. */
  async #commit(record: bigint, result: RecordResult): Promise<void> {
    try {
      await this.#options.store.commit(record, result);
      this.#commitFails = false;
    } catch (error) {
      this.#commitFails = true;
      this.#options.metrics.commitFailures.inc();
      throw error;
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
      payloadBytes: sum(frames.map(payloadLength)),
      frameBytes: sum(frames.map(({ bytes }) => bytes.length)),
      msWait: this.#steadyNow() - open.openedMs,
      msDecode,
      decodedMs: now(),
      map: { shape: [...map], dxM, unit: "m/s" },
    };
  }

  #senderOf(frame: LatentFrame): Sender {
    return { shard: shardOf(frame.record, this.#options.shards), device: frame.device };
  }

  async #refuse(frame: FrameHeader | LatentFrame, sender: Sender, reason: Refusal): Promise<void> {
    const { metrics, log } = this.#options;
    const { record, modelId, device } = frame;
    metrics.frames.inc({ outcome: "refused" });
    this.#totals.framesRefused++;
    metrics.refused.inc({ reason });
    log.warn({ record: record.toString(), device, modelId, reason }, "frame refused");
    await this.#acknowledge(sender, { status: "refused", record, modelId, reason });
  }

  /** What is committed in one go is said to each device in one message, when there is no more to come. */
  #acknowledgeCommitted(frame: LatentFrame): void {
    const sender = this.#senderOf(frame);
    const key = `${sender.shard}/${sender.device}`;
    this.#sayTimer ??= setTimeout(() => void this.#sayCommitted(), ACK_GATHER_MS);
    const { records } = this.#committedFor.get(key) ?? { records: new Set<bigint>() };
    this.#committedFor.set(key, { sender, records: records.add(frame.record) });
    if (records.size >= ACK_GATHER_MAX) void this.#sayCommitted();
  }

  #sayWhenIdle(): void {
    if (this.#tasks === 0 && this.#commits.size === 0) void this.#sayCommitted();
  }

  async #sayCommitted(): Promise<void> {
    clearTimeout(this.#sayTimer);
    this.#sayTimer = undefined;
    const waiting = [...this.#committedFor.values()];
    this.#committedFor.clear();
    const { modelId } = this.#options.decoder;
    await Promise.all(
      waiting.flatMap(({ sender, records }) =>
        committedAcks([...records], modelId).map((ack) => this.#acknowledge(sender, ack)),
      ),
    );
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
function payloadLength({ bytes }: ReceivedFrame): number {
  return bytes.length - FRAME_OVERHEAD_BYTES;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
