import { statfs } from "node:fs/promises";
import type { Gap, GapReason } from "../protocol/index.ts";
import { GapLedger, type LedgerChange, type Loss } from "./gapLedger.ts";
import { LevelStore, type Write } from "./levelStore.ts";

/** What to do with a new frame when the outbox is full. */
export type FullPolicy =
  /** Take no new record until acknowledgements make room: records wait in their source folder. */
  | "wait"
  /** Drop the oldest frame that is not acknowledged: the newest records matter most. */
  | "drop-oldest";

export interface OutboxOptions {
  /** Names the device; an outbox holds the frames of one and is refused to another. */
  owner: string;
  /** Frame bytes held at most. Default 64 MiB, about 60,000 frames. */
  bytesMax?: number;
  /** Default "wait". */
  whenFull?: FullPolicy;
  /** Frames that have waited longer are given up. Default: none. */
  ageMaxMs?: number;
  /** Refused frames kept for inspection; beyond it the first of them go. Default 1000. */
  refusedMax?: number;
  /** Room that new frames leave on the disk, for the outbox's own housekeeping. Default 16 MiB. */
  reserveBytes?: number;
  /** Milliseconds on a steady clock, for ages. Default performance.now. */
  now?: () => number;
}

/** How far a source file has been taken. `size` and `mtimeMs` tell it from a later one of its name. */
export interface FileMark {
  size: number;
  mtimeMs: number;
  /** Record id of the file's first record, as decimal text. */
  first: string;
  /** Records in the file, and how many of them are in the outbox or beyond. */
  count: number;
  done: number;
  /** Why the file cannot be taken at all. */
  refused?: string;
}

export interface OutboxEntry {
  record: bigint;
  modelId: string;
  frame: Uint8Array;
}

/** The key of a stored frame, or what has no room for it: the outbox's bound, or the disk. */
export type PutResult = { key: string } | { full: "outbox" | "disk" };

interface Held {
  bytes: number;
  /** On the outbox's own clock, ms. */
  storedMs: number;
}

const BYTES_MAX = 64 * 2 ** 20;
const REFUSED_MAX = 1000;
const RESERVE_BYTES = 16 * 2 ** 20;
const SAVE_CLOCK_MS = 60_000;
const FRAME = "frame!";
const STORED = "stored!";
const REFUSED = "refused!";
const FILE = "file!";
const OWNER = "owner";
const CLOCK = "clock";

/**
 * The device's durable memory: frames that central has not acknowledged, losses that it has not
 * noted, and how far each source file has been taken. One LevelDB folder, one process at a time. A
 * put is on disk (synced) when its promise resolves, the frame and its file's mark together or
 * neither; a loss is on disk with the removal that causes it; the removal of an acknowledged frame
 * may be undone by a power cut, which costs one duplicate that central recognises.
 *
 * Frames age on the outbox's own clock, which counts the time that it is open: neither a jump of
 * the wall clock nor months in a store room make a frame old.
 */
export class Outbox {
  readonly bytesMax: number;
  /** Told of every frame that is given up. */
  onLost: (loss: Loss) => void = () => {};
  readonly #store: LevelStore;
  readonly #options: Required<Omit<OutboxOptions, "owner" | "bytesMax">>;
  /** The frames, in key order at opening, then in order of arrival. */
  readonly #held = new Map<string, Held>();
  readonly #refused: string[] = [];
  readonly #files = new Map<string, FileMark>();
  readonly #gaps = new GapLedger();
  /** Acknowledged frames that a disk error has kept from being removed. */
  readonly #unremoved = new Set<string>();
  readonly #openedMs: number;
  /** The outbox's clock when it was opened, and as it was last saved. */
  #clockAtOpening = 0;
  #clockSaved = 0;
  #bytes = 0;
  #dropped = 0;
  #expired = 0;
  /** One change of frames and losses at a time: each builds on what is on disk. */
  #changes: Promise<unknown> = Promise.resolve();

  /** Opens or creates the folder. @throws Error of one line when it cannot be used */
  static async open(folder: string, options: OutboxOptions): Promise<Outbox> {
    const store = await LevelStore.open(folder);
    try {
      const outbox = new Outbox(store, options);
      await outbox.#load(options.owner, folder);
      return outbox;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  private constructor(store: LevelStore, { bytesMax = BYTES_MAX, ...options }: OutboxOptions) {
    this.#store = store;
    this.bytesMax = bytesMax;
    this.#options = {
      whenFull: "wait",
      ageMaxMs: Number.POSITIVE_INFINITY,
      refusedMax: REFUSED_MAX,
      reserveBytes: RESERVE_BYTES,
      now: () => performance.now(),
      ...options,
    };
    this.#openedMs = this.#options.now();
  }

  /** Bytes of all frames held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keys of the frames held, oldest first. */
  keys(): string[] {
    return [...this.#held.keys()];
  }

  get size(): number {
    return this.#held.size;
  }

  /** Frames dropped by "drop-oldest" since opening. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Frames given up for their age since opening. */
  get expired(): number {
    return this.#expired;
  }

  /** Gaps that central has not noted. */
  get gapCount(): number {
    return this.#gaps.size;
  }

  /** The gap to report next. */
  firstGap(): Gap | undefined {
    return this.#gaps.first();
  }

  /** Frames that central refused, kept aside. */
  get refusedCount(): number {
    return this.#refused.length;
  }

  static keyOf(record: bigint, modelId: string): string {
    return `${FRAME}${record.toString().padStart(20, "0")}!${modelId}`;
  }

  /**
   * Stores a frame and, in the same write, the mark of the file it came from.
   * @throws StoreError when the disk does not take it: nothing has changed, try again later
   */
  put(entry: OutboxEntry, name: string, mark: FileMark): Promise<PutResult> {
    return this.#change(async () => {
      const key = Outbox.keyOf(entry.record, entry.modelId);
      const { length } = entry.frame;
      const room = this.bytesMax - this.#bytes + (this.#held.get(key)?.bytes ?? 0);
      const victims = length > room ? this.#victims(length - room, key) : [];
      if (victims === undefined) return { full: "outbox" };
      if (!(await this.#diskHasRoom())) return { full: "disk" };
      const storedMs = this.#clock();
      const writes: Write[] = [
        { type: "put", key, value: entry.frame },
        { type: "put", key: storedKey(key), value: encodeNumber(storedMs) },
        { type: "put", key: FILE + name, value: encodeJson(mark) },
        ...this.#saveClock(storedMs),
      ];
      await this.#giveUp(victims, "outbox-full", writes);
      this.#dropped += victims.length;
      this.#remember(key, { bytes: length, storedMs });
      this.#files.set(name, mark);
      return { key };
    });
  }

  /** The frame of a key, undefined when it is gone. @throws StoreError when the disk fails */
  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#held.has(key) ? this.#store.get(key) : undefined;
  }

  /** Removes an acknowledged frame. True when it was there. */
  remove(key: string): Promise<boolean> {
    return this.#change(async () => {
      if (!this.#forget(key)) return false;
      this.#unremoved.add(key);
      await this.#removeAcknowledged();
      return true;
    });
  }

  /**
   * Moves a refused frame out of the queue, its reason in its key, and notes the loss.
   * @throws StoreError when the disk does not take it: the frame stays in the queue
   */
  setAside(key: string, reason: string): Promise<boolean> {
    return this.#change(async () => {
      const frame = await this.get(key);
      if (!this.#held.has(key)) return false;
      const writes: Write[] = [];
      const refused = [...this.#refused];
      if (frame !== undefined) {
        const aside = `${REFUSED}${key.slice(FRAME.length)}!${reason}`;
        writes.push({ type: "put", key: aside, value: frame });
        refused.push(aside);
        if (refused.length > this.#options.refusedMax) {
          writes.push({ type: "del", key: refused.shift()! });
        }
      }
      await this.#giveUp([key], `refused-${reason}`, writes);
      this.#refused.splice(0, this.#refused.length, ...refused);
      return true;
    });
  }

  /** Gives up a frame that cannot be read back as one, and notes the loss. */
  giveUpDamaged(key: string): Promise<void> {
    return this.#change(async () => {
      if (this.#held.has(key)) await this.#giveUp([key], "damaged", []);
    });
  }

  /** Central has the gap on disk. */
  noted(gap: Gap): Promise<void> {
    return this.#change(async () => {
      const change = this.#gaps.noted(gap);
      if (change.writes.length > 0) await this.#store.write(change.writes, true);
      change.apply();
    });
  }

  /**
   * What time asks for: gives up frames that are too old, removes what a disk error has kept, saves
   * the clock. Call it every second or so. @throws StoreError: try again later
   */
  async maintain(): Promise<void> {
    if (this.#unremoved.size > 0) await this.#change(() => this.#removeAcknowledged());
    const now = this.#clock();
    const old = this.#olderThan(now - this.#options.ageMaxMs);
    if (old.length === 0 && now - this.#clockSaved < SAVE_CLOCK_MS) return;
    await this.#change(async () => {
      const still = old.filter((key) => this.#held.has(key));
      await this.#giveUp(still, "expired", this.#saveClock(now));
      this.#expired += still.length;
    });
  }

  fileMark(name: string): FileMark | undefined {
    return this.#files.get(name);
  }

  /** Every known file's mark, by name. */
  fileMarks(): ReadonlyMap<string, FileMark> {
    return this.#files;
  }

  /** Marks a file that cannot be taken; its first record, if it names one, is a loss. */
  refuseFile(name: string, mark: FileMark, loss: Loss | undefined): Promise<void> {
    return this.#change(async () => {
      const change = this.#gaps.add(loss ? [loss] : []);
      const marking: Write = { type: "put", key: FILE + name, value: encodeJson(mark) };
      await this.#store.write([marking, ...change.writes], true);
      change.apply();
      this.#files.set(name, mark);
      if (loss !== undefined) this.onLost(loss);
    });
  }

  /** Forgets files that are no longer in the source folder, so that marks stay bounded by it. */
  async forgetFilesExcept(present: ReadonlySet<string>): Promise<void> {
    const gone = [...this.#files.keys()].filter((name) => !present.has(name));
    if (gone.length === 0) return;
    await this.#store.write(
      gone.map((name) => ({ type: "del", key: FILE + name })),
      false,
    );
    for (const name of gone) this.#files.delete(name);
  }

  async close(): Promise<void> {
    await this.#changes;
    await this.#store.close();
  }

  async #load(owner: string, folder: string): Promise<void> {
    const stated = await this.#store.get(OWNER);
    if (stated === undefined) {
      const value = new TextEncoder().encode(owner);
      await this.#store.write([{ type: "put", key: OWNER, value }], true);
    } else if (new TextDecoder().decode(stated) !== owner) {
      const found = new TextDecoder().decode(stated);
      throw new Error(`outbox: expected the outbox of ${owner}, got that of ${found} (${folder})`);
    }
    const clock = await this.#store.get(CLOCK);
    this.#clockAtOpening = clock === undefined ? 0 : decodeNumber(clock);
    this.#clockSaved = this.#clockAtOpening;
    for await (const [key, value] of this.#store.entries()) {
      if (key.startsWith(FRAME)) {
        this.#remember(key, { bytes: value.length, storedMs: this.#clockAtOpening });
      } else if (key.startsWith(STORED)) {
        // Behind the frames in key order.
        const held = this.#held.get(FRAME + key.slice(STORED.length));
        if (held !== undefined) held.storedMs = decodeNumber(value);
      } else if (key.startsWith(REFUSED)) this.#refused.push(key);
      else if (key.startsWith(FILE)) this.#files.set(key.slice(FILE.length), decodeJson(value));
      else if (GapLedger.owns(key)) this.#gaps.load(value);
    }
  }

  /** Runs `work` after all changes before it. */
  #change<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#changes.then(work);
    this.#changes = result.catch(() => {});
    return result;
  }

  /** Removes frames for a reason and records their loss, in one write with `writes`. */
  async #giveUp(keys: readonly string[], reason: GapReason, writes: Write[]): Promise<void> {
    const losses = keys.map((key): Loss => ({ ...partsOf(key), reason }));
    const change: LedgerChange = this.#gaps.add(losses);
    await this.#store.write([...writes, ...keys.flatMap(removal), ...change.writes], true);
    change.apply();
    for (const key of keys) this.#forget(key);
    for (const loss of losses) this.onLost(loss);
  }

  async #removeAcknowledged(): Promise<void> {
    // A frame that was stored again since stays.
    const keys = [...this.#unremoved].filter((key) => !this.#held.has(key));
    this.#unremoved.clear();
    if (keys.length === 0) return;
    try {
      await this.#store.write(keys.flatMap(removal), false);
    } catch {
      for (const key of keys) this.#unremoved.add(key);
    }
  }

  async #diskHasRoom(): Promise<boolean> {
    const disk = await statfs(this.#store.folder).catch(() => undefined);
    // Some file systems state nothing.
    if (disk === undefined || disk.blocks === 0) return true;
    return disk.bavail * disk.bsize >= this.#options.reserveBytes;
  }

  /** Oldest keys whose frames add up to `bytes`; undefined when none may be dropped. */
  #victims(bytes: number, except: string): string[] | undefined {
    if (this.#options.whenFull === "wait") return undefined;
    const victims: string[] = [];
    let freed = 0;
    for (const [key, held] of this.#held) {
      if (freed >= bytes) break;
      if (key === except) continue;
      victims.push(key);
      freed += held.bytes;
    }
    return freed >= bytes ? victims : undefined;
  }

  #olderThan(storedMs: number): string[] {
    if (storedMs === Number.NEGATIVE_INFINITY) return [];
    const old: string[] = [];
    for (const [key, held] of this.#held) if (held.storedMs < storedMs) old.push(key);
    return old;
  }

  /** Milliseconds that this outbox has been open in its life. */
  #clock(): number {
    return this.#clockAtOpening + this.#options.now() - this.#openedMs;
  }

  #saveClock(now: number): Write[] {
    this.#clockSaved = now;
    return [{ type: "put", key: CLOCK, value: encodeNumber(now) }];
  }

  #remember(key: string, held: Held): void {
    this.#forget(key);
    this.#held.set(key, held);
    this.#bytes += held.bytes;
  }

  #forget(key: string): boolean {
    const held = this.#held.get(key);
    if (held === undefined) return false;
    this.#held.delete(key);
    this.#bytes -= held.bytes;
    return true;
  }
}

/** What takes a frame off the disk. */
function removal(key: string): Write[] {
  return [
    { type: "del", key },
    { type: "del", key: storedKey(key) },
  ];
}

function storedKey(key: string): string {
  return STORED + key.slice(FRAME.length);
}

/** Record and model of a frame's key, `frame!{record}!{model}`. */
export function partsOf(key: string): { record: bigint; modelId: string } {
  const [, record = "0", modelId = ""] = key.split("!");
  return { record: BigInt(record), modelId };
}

function encodeJson(value: FileMark): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function decodeJson(bytes: Uint8Array): FileMark {
  return JSON.parse(new TextDecoder().decode(bytes)) as FileMark;
}

function encodeNumber(value: number): Uint8Array {
  return new TextEncoder().encode(`${Math.round(value)}`);
}

function decodeNumber(bytes: Uint8Array): number {
  const value = Number(new TextDecoder().decode(bytes));
  return Number.isFinite(value) ? value : 0;
}
