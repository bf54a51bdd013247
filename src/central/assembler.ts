import type { LatentFrame } from "../protocol/index.ts";

/** A frame as it came, and what it says. */
export interface ReceivedFrame {
  readonly frame: LatentFrame;
  readonly bytes: Uint8Array;
  /** Wall clock at arrival, ms. */
  readonly receivedMs: number;
}

/** A record whose frames are being collected. */
export interface OpenRecord {
  readonly record: bigint;
  readonly modelId: string;
  /** By device; undefined where missing. */
  readonly frames: (ReceivedFrame | undefined)[];
  /** Devices whose frames are in the committed result already. */
  readonly committed: ReadonlySet<number>;
  /** Devices whose frames are on disk without being in a result: acknowledged already. */
  readonly kept: Set<number>;
  /** On the caller's steady clock. */
  readonly openedMs: number;
  readonly deadlineMs: number;
}

export interface AssemblerOptions {
  devices: number;
  /** How long a record waits for missing devices after its first frame. */
  deadlineMs: number;
  /** Records open at once; beyond it the oldest is decoded with what it has. Default 1024. */
  openMax?: number;
}

export type Acceptance =
  /** New: the record waits for more, or is ready. */
  | { kind: "taken"; ready: boolean }
  /** This device's frame is there already; the answer comes when the record is committed. */
  | { kind: "duplicate" }
  /** This device's frame is part of a committed result, or kept on disk: acknowledge at once. */
  | { kind: "committed" | "kept" }
  | { kind: "other-model" };

const OPEN_MAX = 1024;

/**
 * Collects the frames of records until they are complete or due. Pure bookkeeping: time comes in
 * as an argument, nothing is decoded or stored here.
 */
export class RecordAssembler {
  readonly #devices: number;
  readonly #deadlineMs: number;
  readonly #openMax: number;
  /** In order of opening. */
  readonly #open = new Map<bigint, OpenRecord>();

  constructor({ devices, deadlineMs, openMax = OPEN_MAX }: AssemblerOptions) {
    this.#devices = devices;
    this.#deadlineMs = deadlineMs;
    this.#openMax = openMax;
  }

  get size(): number {
    return this.#open.size;
  }

  has(record: bigint): boolean {
    return this.#open.has(record);
  }

  /**
   * Opens a record with the frames of its committed result (none for a new one), so that a late
   * frame refines it. Call before `accept` when `has` is false.
   */
  open(record: bigint, modelId: string, stored: readonly ReceivedFrame[], nowMs: number): void {
    const frames = new Array<ReceivedFrame | undefined>(this.#devices).fill(undefined);
    for (const received of stored) frames[received.frame.device] = received;
    const committed = new Set(stored.map(({ frame }) => frame.device));
    const deadlineMs = nowMs + this.#deadlineMs;
    const kept = new Set<number>();
    this.#open.set(record, {
      record,
      modelId,
      frames,
      committed,
      kept,
      openedMs: nowMs,
      deadlineMs,
    });
  }

  /** Puts back a record whose result could not be committed; it is due again after `retryMs`. */
  restore(open: OpenRecord, nowMs: number, retryMs: number): void {
    this.#open.set(open.record, { ...open, deadlineMs: nowMs + retryMs });
  }

  /** Open records that came before `beforeMs` and have frames that nothing on disk holds. */
  unkept(beforeMs: number): OpenRecord[] {
    return [...this.#open.values()].filter(
      ({ frames, committed, kept, openedMs }) =>
        openedMs <= beforeMs &&
        frames.some((frame, i) => frame !== undefined && !committed.has(i) && !kept.has(i)),
    );
  }

  /** An open record as it is now. */
  get(record: bigint): OpenRecord | undefined {
    return this.#open.get(record);
  }

  /** Adds a frame to its open record; the first of each device counts. */
  accept(received: ReceivedFrame): Acceptance {
    const { record, device, modelId } = received.frame;
    const open = this.#open.get(record);
    if (open === undefined) throw new Error(`record: expected an open record, got ${record}`);
    if (open.modelId !== modelId) return { kind: "other-model" };
    if (open.committed.has(device)) return { kind: "committed" };
    if (open.kept.has(device)) return { kind: "kept" };
    if (open.frames[device] !== undefined) return { kind: "duplicate" };
    open.frames[device] = received;
    return { kind: "taken", ready: open.frames.every((frame) => frame !== undefined) };
  }

  /** Takes a record out, to be decoded (or given up, when nothing new came). */
  take(record: bigint): OpenRecord | undefined {
    const open = this.#open.get(record);
    this.#open.delete(record);
    return open;
  }

  /** Records to be decoded now with what they have: past their deadline, or too many open. */
  due(nowMs: number): bigint[] {
    const due: bigint[] = [];
    let tooMany = this.#open.size - this.#openMax;
    for (const { record, deadlineMs } of this.#open.values()) {
      if (deadlineMs > nowMs && tooMany <= 0) continue;
      due.push(record);
      tooMany--;
    }
    return due;
  }
}
