import {
  type Ack,
  ackFilter,
  centralStatusFilter,
  decodeAck,
  type LinkMessage,
  latentTopic,
  type MessageLink,
  readFrameHeader,
  shardOf,
} from "../protocol/index.ts";
import { GapNotifier } from "./gapNotifier.ts";
import { Outbox, partsOf } from "./outbox.ts";

export interface SenderOptions {
  link: MessageLink;
  outbox: Outbox;
  survey: string;
  device: number;
  /** Shards that the survey's records are spread over. */
  shards: number;
  /** Frames published and not yet acknowledged at most. Default 8. */
  window?: number;
  /** First wait for an acknowledgement; doubles up to eight times this. Default 15 s. */
  ackTimeoutMs?: number;
  /**
   * Frames that make a wake-up of the radio worth it: fewer are held back until the oldest of them has
   * waited for `wakeupAfterMs`. A wake-up sends all there is. Default 1: nothing is held back.
   */
  perWakeup?: number;
  /** Default 60 s. */
  wakeupAfterMs?: number;
  /**
   * Of the frames' publications. Default 0: central's acknowledgement is what counts, and a broker's
   * confirmation of each frame costs a segment on the radio and proves nothing.
   */
  qos?: 0 | 1;
  /** Milliseconds on any steady clock. */
  now: () => number;
  onEvent?: (event: SenderEvent) => void;
}

export type SenderEvent =
  | { kind: "sent"; key: string; bytes: number; attempt: number }
  | { kind: "acknowledged"; key: string; msWaited: number }
  | { kind: "refused"; key: string; reason: string }
  | { kind: "unreadable"; reason: string }
  | { kind: "busy"; window: number }
  | { kind: "problem"; message: string };

interface InFlight {
  attempt: number;
  firstSentMs: number;
  resendAtMs: number;
}

/**
 * Moves frames from the outbox to central. A frame leaves the outbox on the application
 * acknowledgement alone; until then it is sent again: when it times out, when the link comes back,
 * when a central process comes online. New records go before the backlog. A busy central halves the
 * window, acknowledgements widen it again.
 */
export class Sender {
  readonly #options: Required<Omit<SenderOptions, "onEvent">>;
  readonly #onEvent: (event: SenderEvent) => void;
  readonly #inFlight = new Map<string, InFlight>();
  readonly #gaps: GapNotifier;
  /** Frames that may be under way now: between 1 and the option's. */
  #window: number;
  /** Stored since the link came up. */
  #fresh: string[] = [];
  #backlog: string[];
  /** Since when frames are held back; undefined while none is, and during a wake-up. */
  #heldSinceMs: number | undefined;
  /** One settling of the outbox at a time: acknowledgements come faster than disk writes end. */
  #settling: Promise<void> = Promise.resolve();

  constructor(options: SenderOptions) {
    this.#options = {
      window: 8,
      ackTimeoutMs: 15_000,
      perWakeup: 1,
      wakeupAfterMs: 60_000,
      qos: 0,
      ...options,
    };
    this.#onEvent = options.onEvent ?? (() => {});
    this.#backlog = options.outbox.keys();
    this.#window = this.#options.window;
    this.#gaps = new GapNotifier(this.#options);
    const { link } = options;
    link.onMessage((message) => this.#receive(message));
    link.onConnection((connected) => {
      if (!connected) return this.#requeueAll();
      this.#gaps.resend();
      this.#pump();
    });
  }

  /** Subscribes to acknowledgements; sending starts when the link is up. */
  async start(): Promise<void> {
    const { link, survey, device } = this.#options;
    await link.subscribe([ackFilter(survey, device), centralStatusFilter(survey)]);
    this.#gaps.pump();
    this.#pump();
  }

  /** Frames published and not acknowledged. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Queues a frame that was just stored. */
  add(key: string): void {
    if (this.#inFlight.has(key)) return;
    (this.#options.link.connected ? this.#fresh : this.#backlog).push(key);
    this.#pump();
  }

  /** Sends again what was not acknowledged in time. Call it a few times per second. */
  tick(): void {
    const now = this.#options.now();
    if (!this.#options.link.connected) return;
    this.#gaps.tick();
    void this.#publish([...this.#inFlight].filter(([, { resendAtMs }]) => resendAtMs <= now));
    if (this.#heldSinceMs !== undefined) this.#pump();
  }

  /** Resolves when everything acknowledged so far has left the outbox. */
  async settled(): Promise<void> {
    await this.#settling;
  }

  /** True while what waits is not worth waking the radio; what is under way keeps it awake. */
  #isHeldBack(): boolean {
    const { perWakeup, wakeupAfterMs, now } = this.#options;
    const waiting = this.#fresh.length + this.#backlog.length;
    const isAwake = waiting === 0 || waiting >= perWakeup || this.#inFlight.size > 0;
    this.#heldSinceMs = isAwake ? undefined : (this.#heldSinceMs ?? now());
    return this.#heldSinceMs !== undefined && now() - this.#heldSinceMs < wakeupAfterMs;
  }

  #pump(): void {
    const { link, now } = this.#options;
    if (this.#isHeldBack()) return;
    const next: [string, InFlight][] = [];
    while (link.connected && this.#inFlight.size < Math.floor(this.#window)) {
      const key = this.#fresh.shift() ?? this.#backlog.shift();
      if (key === undefined) break;
      if (this.#inFlight.has(key)) continue;
      const state = { attempt: 0, firstSentMs: now(), resendAtMs: 0 };
      this.#inFlight.set(key, state);
      next.push([key, state]);
    }
    void this.#publish(next);
  }

  /** Reads all of them before it sends the first: what goes out in one turn shares segments. */
  async #publish(entries: readonly [string, InFlight][]): Promise<void> {
    if (entries.length === 0) return;
    const { now, ackTimeoutMs } = this.#options;
    for (const [, state] of entries) {
      state.resendAtMs = now() + ackTimeoutMs * 2 ** Math.min(state.attempt, 3);
      state.attempt++;
    }
    const frames = await Promise.all(entries.map(([key]) => this.#read(key)));
    let hasRoom = false;
    for (const [i, [key, state]] of entries.entries()) {
      const frame = frames[i]!;
      if (frame === "later" || this.#inFlight.get(key) !== state) continue;
      if (frame !== "gone") {
        void this.#send(key, state, frame);
        continue;
      }
      this.#inFlight.delete(key);
      hasRoom = true;
    }
    if (hasRoom) this.#pump();
  }

  async #send(key: string, state: InFlight, frame: Uint8Array): Promise<void> {
    const { link, survey, shards, device, qos } = this.#options;
    const topic = latentTopic(survey, shardOf(partsOf(key).record, shards), device);
    try {
      await link.publish(topic, frame, { qos });
      this.#onEvent({ kind: "sent", key, bytes: frame.length, attempt: state.attempt });
    } catch {
      // The link went down: its handler has put the frame back in the queue.
    }
  }

  /** A frame to send; "gone" when the outbox has given it up; "later" when the disk does not answer. */
  async #read(key: string): Promise<Uint8Array | "gone" | "later"> {
    const { outbox } = this.#options;
    try {
      const frame = await outbox.get(key);
      if (frame !== undefined && isFrame(frame)) return frame;
      // A frame that is held but cannot be read back is a loss, and is named as one.
      await outbox.giveUpDamaged(key);
      return "gone";
    } catch (error) {
      this.#onEvent({ kind: "problem", message: (error as Error).message });
      return "later";
    }
  }

  #receive({ topic, payload, retained }: LinkMessage): void {
    if (topic.includes("/status/central/")) {
      const online = Buffer.from(payload).toString() === "online";
      if (online && !retained) this.#resendAll();
      return;
    }
    const ack = decodeAck(payload);
    if (ack === undefined) return;
    this.#settling = this.#settling
      .then(() => this.#answer(ack, Number(topic.split("/")[3])))
      .catch((error: Error) => this.#onEvent({ kind: "problem", message: error.message }));
  }

  async #answer(ack: Ack, shard: number): Promise<void> {
    switch (ack.status) {
      case "unreadable":
        return this.#onEvent({ kind: "unreadable", reason: ack.reason });
      case "busy":
        this.#window = Math.max(1, Math.floor(this.#window / 2));
        return this.#onEvent({ kind: "busy", window: this.#window });
      case "noted":
        return this.#gaps.noted(ack.gap, shard);
      case "committed":
        for (const record of [ack.record, ...(ack.also ?? [])]) {
          await this.#settle(Outbox.keyOf(record, ack.modelId), undefined);
        }
        return;
      case "refused":
        return this.#settle(Outbox.keyOf(ack.record, ack.modelId), ack.reason);
    }
  }

  /** Takes an answered frame out of the outbox, and reports it. */
  async #settle(key: string, refusal: string | undefined): Promise<void> {
    const { outbox, now, window } = this.#options;
    const state = this.#inFlight.get(key);
    this.#inFlight.delete(key);
    if (refusal === undefined) {
      if (await outbox.remove(key)) {
        this.#window = Math.min(window, this.#window + 1 / this.#window);
        const msWaited = now() - (state?.firstSentMs ?? now());
        this.#onEvent({ kind: "acknowledged", key, msWaited });
      }
    } else {
      await this.#setAside(key, refusal);
    }
    this.#pump();
  }

  async #setAside(key: string, reason: string): Promise<void> {
    try {
      if (!(await this.#options.outbox.setAside(key, reason))) return;
    } catch (error) {
      // The disk did not take it: it is sent, and refused, again.
      this.#backlog.push(key);
      throw error;
    }
    this.#onEvent({ kind: "refused", key, reason });
    this.#gaps.pump();
  }

  /** A central process came online: what it missed need not wait for its time-out. */
  #resendAll(): void {
    this.#gaps.resend();
    for (const state of this.#inFlight.values()) state.attempt = 0;
    void this.#publish([...this.#inFlight]);
  }

  #requeueAll(): void {
    this.#backlog = [...this.#inFlight.keys(), ...this.#backlog, ...this.#fresh];
    this.#fresh = [];
    this.#inFlight.clear();
  }
}

function isFrame(bytes: Uint8Array): boolean {
  try {
    readFrameHeader(bytes);
    return true;
  } catch {
    return false;
  }
}
