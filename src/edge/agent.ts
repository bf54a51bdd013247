import { type FSWatcher, watch } from "node:fs";
import type { ModelConfig } from "../model/config.ts";
import {
  Encoding,
  encodeFrame,
  FRAME_OVERHEAD_BYTES,
  type LatentCoder,
  type LatentEncoding,
  type MessageLink,
} from "../protocol/index.ts";
import type { Loss } from "./gapLedger.ts";
import { StoreError } from "./levelStore.ts";
import type { Outbox } from "./outbox.ts";
import { Sender, type SenderEvent } from "./sender.ts";
import { RecordSource, type SourceRecord } from "./source.ts";

/** What the agent needs of an EdgeEncoder. */
export interface Encoder {
  readonly config: ModelConfig;
  readonly modelId: string;
  /** Needed for encoding 2 alone. */
  readonly coder?: LatentCoder | undefined;
  encode(traces: Float32Array, options: { device: number; out?: Int8Array }): Int8Array;
}

export interface AgentOptions {
  encoder: Encoder;
  outbox: Outbox;
  link: MessageLink;
  survey: string;
  device: number;
  /** Folder in which records appear. */
  source: string;
  /** Default 0, int8. */
  encoding?: LatentEncoding;
  /** Shards that the survey's records are spread over. Default 1. */
  shards?: number;
  window?: number;
  /** Frames to a wake-up of the radio, and how long fewer are held back; see {@link Sender}. */
  perWakeup?: number;
  wakeupAfterMs?: number;
  qos?: 0 | 1;
  ackTimeoutMs?: number;
  /** Looks into the folder at least this often; file-system events come sooner. Default 1 s. */
  pollMs?: number;
  /** End when every record of the folder is acknowledged or refused. Default false. */
  once?: boolean;
  onEvent?: (event: AgentEvent) => void;
}

export type AgentEvent =
  | SenderEvent
  | { kind: "stored"; record: bigint; bytes: number; msEncode: number }
  | { kind: "full"; what: "outbox" | "disk" }
  | ({ kind: "lost" } & Loss);

/** What an agent did since it started. Times are means over the records, ms. */
export interface AgentTotals {
  stored: number;
  acknowledged: number;
  refused: number;
  /** Frames in the outbox now. */
  waiting: number;
  /** Frames that a full outbox gave up ("drop-oldest"). */
  dropped: number;
  /** Frames given up for their age. */
  expired: number;
  /** Gaps that central has not noted yet. */
  gaps: number;
  /** Latent bytes of the frames stored. */
  payloadBytes: number;
  msEncode: number;
  /** From a frame's first publication to its acknowledgement. */
  msAcknowledge: number;
}

const TICK_MS = 250;
const POLL_MS = 1000;
const MAINTAIN_TICKS = 4;

/**
 * One end device: takes records as they appear in a folder, encodes them, stores each frame in the
 * outbox, and sends until central has acknowledged it. Whatever is cut short, by a signal or a power
 * cut, continues at the next start.
 */
export class EdgeAgent {
  readonly #options: AgentOptions;
  readonly #sender: Sender;
  readonly #source: RecordSource;
  readonly #latent: Int8Array;
  readonly #totals = { stored: 0, acknowledged: 0, refused: 0, payloadBytes: 0 };
  #msEncode = 0;
  #msAcknowledge = 0;
  /** Set by what the main loop must look at (a file event, an acknowledgement), even before it waits. */
  #woken = false;
  #endPause: () => void = () => {};
  #toldFull = false;
  /** The last disk problem told of: it is told once, not at each attempt. */
  #toldProblem = "";
  #ticks = 0;

  /**
   * @throws RangeError for a device that the model's geometry does not have
   * @throws Error for encoding 2 with a model that has no tables
   */
  constructor(options: AgentOptions) {
    const { encoder, device, link, outbox, survey } = options;
    const { devices } = encoder.config.geometry;
    if (!Number.isInteger(device) || device < 0 || device >= devices.length) {
      throw new RangeError(`device: expected 0 to ${devices.length - 1}, got ${device}`);
    }
    if (options.encoding === Encoding.entropy && encoder.coder === undefined) {
      throw new Error("encoding: expected a model with frequency tables for entropy, got none");
    }
    this.#options = options;
    const { slots, channels } = encoder.config.latent;
    this.#latent = new Int8Array(slots * channels);
    this.#sender = new Sender({
      link,
      outbox,
      survey,
      device,
      shards: options.shards ?? 1,
      now: () => performance.now(),
      ...(options.window !== undefined && { window: options.window }),
      ...(options.perWakeup !== undefined && { perWakeup: options.perWakeup }),
      ...(options.wakeupAfterMs !== undefined && { wakeupAfterMs: options.wakeupAfterMs }),
      ...(options.qos !== undefined && { qos: options.qos }),
      ...(options.ackTimeoutMs !== undefined && { ackTimeoutMs: options.ackTimeoutMs }),
      onEvent: (event) => this.#sent(event),
    });
    this.#source = new RecordSource({
      folder: options.source,
      geometry: encoder.config.geometry,
      device,
      modelId: encoder.modelId,
      now: () => performance.now(),
      onProblem: (message) => this.#emit({ kind: "problem", message }),
    });
    outbox.onLost = (loss) => this.#emit({ kind: "lost", ...loss });
  }

  /** Works until `signal` aborts, or, with `once`, until all is done. Outbox and link stay open. */
  async run(signal: AbortSignal): Promise<AgentTotals> {
    const watcher = this.#watch();
    const ticker = setInterval(() => this.#tick(), TICK_MS);
    try {
      await this.#sender.start();
      while (!signal.aborted) {
        const tookAll = await this.#takeRecords(signal).catch((error) => this.#diskFailed(error));
        if (this.#options.once && tookAll && this.#isDone()) break;
        await this.#pause(signal);
      }
    } finally {
      clearInterval(ticker);
      watcher?.close();
      await this.#sender.settled();
    }
    return this.totals();
  }

  totals(): AgentTotals {
    const { stored, acknowledged } = this.#totals;
    return {
      ...this.#totals,
      waiting: this.#options.outbox.size,
      dropped: this.#options.outbox.dropped,
      expired: this.#options.outbox.expired,
      gaps: this.#options.outbox.gapCount,
      msEncode: stored > 0 ? this.#msEncode / stored : 0,
      msAcknowledge: acknowledged > 0 ? this.#msAcknowledge / acknowledged : 0,
    };
  }

  #isDone(): boolean {
    const { outbox } = this.#options;
    return outbox.size === 0 && outbox.gapCount === 0;
  }

  #tick(): void {
    this.#sender.tick();
    if (this.#ticks++ % MAINTAIN_TICKS !== 0) return;
    this.#options.outbox.maintain().catch((error) => this.#diskFailed(error));
    if (this.#options.once && this.#isDone()) this.#wake();
  }

  /** A disk that fails now may work later: what it did not take is still where it was. */
  #diskFailed(error: unknown): false {
    if (!(error instanceof StoreError)) throw error;
    const { message } = error;
    if (message !== this.#toldProblem) this.#emit({ kind: "problem", message });
    this.#toldProblem = message;
    return false;
  }

  /** Encodes and stores what the folder holds. False while something must be looked at again. */
  async #takeRecords(signal: AbortSignal): Promise<boolean> {
    for await (const found of this.#source.records(this.#options.outbox)) {
      if (signal.aborted || !(await this.#take(found))) return false;
    }
    return !this.#source.unsettled;
  }

  /** False when the outbox is full: the record stays in its file until there is room. */
  async #take({ record, traces, acquiredNs, name, mark }: SourceRecord): Promise<boolean> {
    const { encoder, outbox, survey, device, encoding = 0 } = this.#options;
    const { geometry } = encoder.config;
    const { firstReceiver, receivers } = geometry.devices[device]!;
    const start = performance.now();
    const latent = encoder.encode(traces, { device, out: this.#latent });
    const msEncode = performance.now() - start;
    const { modelId } = encoder;
    const devices = geometry.devices.length;
    const place = { survey, record, device, devices, firstReceiver, receivers };
    const frame = encodeFrame({ encoding, modelId, ...place, acquiredNs, latent }, encoder.coder);
    const stored = await outbox.put({ record, modelId, frame }, name, mark);
    if ("full" in stored) {
      if (!this.#toldFull) this.#emit({ kind: "full", what: stored.full });
      this.#toldFull = true;
      return false;
    }
    this.#toldFull = false;
    this.#toldProblem = "";
    this.#totals.stored++;
    this.#totals.payloadBytes += frame.length - FRAME_OVERHEAD_BYTES;
    this.#msEncode += msEncode;
    this.#emit({ kind: "stored", record, bytes: frame.length, msEncode });
    this.#sender.add(stored.key);
    return true;
  }

  #sent(event: SenderEvent): void {
    if (event.kind === "acknowledged") {
      this.#totals.acknowledged++;
      this.#msAcknowledge += event.msWaited;
    }
    if (event.kind === "refused") this.#totals.refused++;
    this.#emit(event);
    if (this.#toldFull || this.#options.outbox.size === 0) this.#wake();
  }

  #emit(event: AgentEvent): void {
    this.#options.onEvent?.(event);
  }

  /** File-system events, where the system has them; the poll finds what they miss. */
  #watch(): FSWatcher | undefined {
    try {
      const watcher = watch(this.#options.source, () => this.#wake());
      watcher.on("error", () => watcher.close());
      return watcher;
    } catch {
      return undefined;
    }
  }

  #wake(): void {
    this.#woken = true;
    this.#endPause();
  }

  /** Waits for the poll, a wake-up since the last pause, or the signal. */
  async #pause(signal: AbortSignal): Promise<void> {
    if (!this.#woken && !signal.aborted) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#endPause = resolve;
        signal.addEventListener("abort", this.#endPause, { once: true });
        timer = setTimeout(resolve, this.#options.pollMs ?? POLL_MS);
      });
      clearTimeout(timer);
      signal.removeEventListener("abort", this.#endPause);
    }
    this.#woken = false;
  }
}
