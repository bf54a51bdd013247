import { ClassicLevel } from "classic-level";

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
  /** Refused frames kept for inspection; beyond it the first of them go. Default 1000. */
  refusedMax?: number;
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

type Batch = { type: "put"; key: string; value: Uint8Array } | { type: "del"; key: string };

const BYTES_MAX = 64 * 2 ** 20;
const REFUSED_MAX = 1000;
const FRAME = "frame!";
const REFUSED = "refused!";
const FILE = "file!";
const OWNER = "owner";

/**
 * The device's durable memory: frames that central has not acknowledged, and how far each source
 * file has been taken. One LevelDB folder, one process at a time. A put is on disk (synced) when its
 * promise resolves, the frame and its file's mark together or neither; a removal may be undone by a
 * power cut, which costs one duplicate that central recognises.
 */
export class Outbox {
  readonly bytesMax: number;
  readonly #db: ClassicLevel<string, Uint8Array>;
  readonly #whenFull: FullPolicy;
  readonly #refusedMax: number;
  /** Length of each frame by key, in key order at opening, then in order of arrival. */
  readonly #lengths = new Map<string, number>();
  readonly #refused: string[] = [];
  readonly #files = new Map<string, FileMark>();
  #bytes = 0;
  #dropped = 0;

  /** Opens or creates the folder. @throws Error of one line when it cannot be used */
  static async open(folder: string, options: OutboxOptions): Promise<Outbox> {
    const db = new ClassicLevel<string, Uint8Array>(folder, { valueEncoding: "view" });
    try {
      await db.open();
    } catch (error) {
      throw new Error(`outbox: expected a usable folder, got ${folder} (${openFailure(error)})`);
    }
    try {
      const outbox = new Outbox(db, options);
      await outbox.#load(options.owner, folder);
      return outbox;
    } catch (error) {
      await db.close();
      throw error;
    }
  }

  private constructor(db: ClassicLevel<string, Uint8Array>, options: OutboxOptions) {
    this.#db = db;
    this.bytesMax = options.bytesMax ?? BYTES_MAX;
    this.#whenFull = options.whenFull ?? "wait";
    this.#refusedMax = options.refusedMax ?? REFUSED_MAX;
  }

  /** Bytes of all frames held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keys of the frames held, oldest first. */
  keys(): string[] {
    return [...this.#lengths.keys()];
  }

  get size(): number {
    return this.#lengths.size;
  }

  /** Frames dropped by "drop-oldest" since opening. */
  get dropped(): number {
    return this.#dropped;
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
   * @returns the key; undefined when the outbox is full and the policy is "wait"
   */
  async put(entry: OutboxEntry, name: string, mark: FileMark): Promise<string | undefined> {
    const key = Outbox.keyOf(entry.record, entry.modelId);
    const batch: Batch[] = [
      { type: "put", key, value: entry.frame },
      { type: "put", key: FILE + name, value: encodeJson(mark) },
    ];
    const room = this.bytesMax - this.#bytes + (this.#lengths.get(key) ?? 0);
    const victims = entry.frame.length > room ? this.#victims(entry.frame.length - room, key) : [];
    if (victims === undefined) return undefined;
    for (const victim of victims) batch.push({ type: "del", key: victim });
    await this.#db.batch(batch, { sync: true });
    for (const victim of victims) this.#forget(victim);
    this.#dropped += victims.length;
    this.#remember(key, entry.frame.length);
    this.#files.set(name, mark);
    return key;
  }

  /** The frame of a key, undefined when it is gone. */
  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#lengths.has(key) ? this.#db.get(key) : undefined;
  }

  /** Removes an acknowledged frame. True when it was there. */
  async remove(key: string): Promise<boolean> {
    if (!this.#forget(key)) return false;
    await this.#db.del(key);
    return true;
  }

  /** Moves a refused frame out of the queue; its reason becomes part of its key. */
  async setAside(key: string, reason: string): Promise<boolean> {
    const frame = await this.get(key);
    if (frame === undefined || !this.#forget(key)) return false;
    const aside = `${REFUSED}${key.slice(FRAME.length)}!${reason}`;
    const batch: Batch[] = [
      { type: "del", key },
      { type: "put", key: aside, value: frame },
    ];
    this.#refused.push(aside);
    if (this.#refused.length > this.#refusedMax) {
      batch.push({ type: "del", key: this.#refused.shift()! });
    }
    await this.#db.batch(batch, { sync: true });
    return true;
  }

  fileMark(name: string): FileMark | undefined {
    return this.#files.get(name);
  }

  /** Every known file's mark, by name. */
  fileMarks(): ReadonlyMap<string, FileMark> {
    return this.#files;
  }

  async markFile(name: string, mark: FileMark): Promise<void> {
    await this.#db.put(FILE + name, encodeJson(mark), { sync: true });
    this.#files.set(name, mark);
  }

  /** Forgets files that are no longer in the source folder, so that marks stay bounded by it. */
  async forgetFilesExcept(present: ReadonlySet<string>): Promise<void> {
    const gone = [...this.#files.keys()].filter((name) => !present.has(name));
    if (gone.length === 0) return;
    await this.#db.batch(gone.map((name) => ({ type: "del" as const, key: FILE + name })));
    for (const name of gone) this.#files.delete(name);
  }

  async close(): Promise<void> {
    await this.#db.close();
  }

  async #load(owner: string, folder: string): Promise<void> {
    const stated = await this.#db.get(OWNER);
    if (stated === undefined) {
      await this.#db.put(OWNER, new TextEncoder().encode(owner), { sync: true });
    } else if (new TextDecoder().decode(stated) !== owner) {
      const found = new TextDecoder().decode(stated);
      throw new Error(`outbox: expected the outbox of ${owner}, got that of ${found} (${folder})`);
    }
    for await (const [key, value] of this.#db.iterator()) {
      if (key.startsWith(FRAME)) this.#remember(key, value.length);
      else if (key.startsWith(REFUSED)) this.#refused.push(key);
      else if (key.startsWith(FILE)) this.#files.set(key.slice(FILE.length), decodeJson(value));
    }
  }

  /** Oldest keys whose frames add up to `bytes`; undefined when none may be dropped. */
  #victims(bytes: number, except: string): string[] | undefined {
    if (this.#whenFull === "wait") return undefined;
    const victims: string[] = [];
    let freed = 0;
    for (const [key, length] of this.#lengths) {
      if (freed >= bytes) break;
      if (key === except) continue;
      victims.push(key);
      freed += length;
    }
    return freed >= bytes ? victims : undefined;
  }

  #remember(key: string, length: number): void {
    this.#forget(key);
    this.#lengths.set(key, length);
    this.#bytes += length;
  }

  #forget(key: string): boolean {
    const length = this.#lengths.get(key);
    if (length === undefined) return false;
    this.#lengths.delete(key);
    this.#bytes -= length;
    return true;
  }
}

/** LevelDB's own reason, which the wrapper hides in `cause`. */
function openFailure(error: unknown): string {
  const cause = (error as { cause?: Error & { code?: string } }).cause;
  if (cause?.code === "LEVEL_LOCKED") return "another process has it open";
  return (cause?.message ?? (error as Error).message).replace(/\s+/g, " ");
}

function encodeJson(value: FileMark): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function decodeJson(bytes: Uint8Array): FileMark {
  return JSON.parse(new TextDecoder().decode(bytes)) as FileMark;
}
