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
  /** This device's frame is part of a committed result: acknowledge at once. */
  | { kind: "committed" }
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
  /** In order of opening, which is also the order of deadlines. */
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
    this.#open.set(record, { record, modelId, frames, committed, openedMs: nowMs, deadlineMs });
  }

  /** Adds a frame to its open record; the first of each device counts. */
  accept(received: ReceivedFrame): Acceptance {
    const { record, device, modelId } = received.frame;
    const open = this.#open.get(record);
    if (open === undefined) throw new Error(`record: expected an open record, got ${record}`);
    if (open.modelId !== modelId) return { kind: "other-model" };
    if (open.committed.has(device)) return { kind: "committed" };
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
    for (const { record, deadlineMs } of this.#open.values()) {
      if (deadlineMs > nowMs && this.#open.size - due.length <= this.#openMax) break;
      due.push(record);
    }
    return due;
  }
}
