import { ClassicLevel } from "classic-level";

export type Write = { type: "put"; key: string; value: Uint8Array } | { type: "del"; key: string };

/** The disk did not take a write or give a value: nothing was changed as far as is known. */
export class StoreError extends Error {
  override readonly name = "StoreError";
}

/**
 * One LevelDB folder that comes back after disk trouble. A log file that a full disk has cut short
 * must not be written to again (LevelDB would lose what follows the torn part at its next start), so
 * a failed write closes the database and opens it anew, now and at each later call until it works.
 */
export class LevelStore {
  readonly folder: string;
  readonly #db: ClassicLevel<string, Uint8Array>;
  #broken = false;
  #healing: Promise<void> | undefined;

  /** Opens or creates the folder. @throws Error of one line when it cannot be used */
  static async open(folder: string): Promise<LevelStore> {
    const db = new ClassicLevel<string, Uint8Array>(folder, { valueEncoding: "view" });
    try {
      await db.open();
    } catch (error) {
      throw new Error(`outbox: expected a usable folder, got ${folder} (${reasonOf(error)})`);
    }
    return new LevelStore(folder, db);
  }

  private constructor(folder: string, db: ClassicLevel<string, Uint8Array>) {
    this.folder = folder;
    this.#db = db;
  }

  /** Undefined where there is nothing, or nothing whole. @throws StoreError when the disk fails */
  async get(key: string): Promise<Uint8Array | undefined> {
    await this.#usable();
    try {
      return await this.#db.get(key);
    } catch (error) {
      if (codeOf(error) === "LEVEL_CORRUPTION") return undefined;
      throw new StoreError(`outbox: expected to read ${key}, got ${reasonOf(error)}`);
    }
  }

  /**
   * All writes or none. With `sync` they survive a power cut when this resolves.
   * @throws StoreError when they are not known to be on disk
   */
  async write(writes: readonly Write[], sync: boolean): Promise<void> {
    await this.#usable();
    try {
      await this.#db.batch([...writes], { sync });
    } catch (error) {
      await this.#heal();
      throw new StoreError(`outbox: expected to write ${this.folder}, got ${reasonOf(error)}`);
    }
  }

  /** Every key and value, in the order of keys. */
  entries(): AsyncIterable<[string, Uint8Array]> {
    return this.#db.iterator();
  }

  async close(): Promise<void> {
    await this.#healing;
    await this.#db.close();
  }

  async #usable(): Promise<void> {
    if (this.#broken || this.#healing !== undefined) await this.#heal();
    if (this.#broken) {
      throw new StoreError(`outbox: expected to open ${this.folder} again, got a disk error`);
    }
  }

  /** Opens the database anew; one attempt at a time, shared by all who wait. */
  #heal(): Promise<void> {
    this.#healing ??= this.#reopen().finally(() => {
      this.#healing = undefined;
    });
    return this.#healing;
  }

  async #reopen(): Promise<void> {
    this.#broken = true;
    try {
      await this.#db.close();
      await this.#db.open();
      this.#broken = false;
    } catch {
      // Still no room, or no permission: the next call tries again.
    }
  }
}

/** LevelDB's own reason, which the wrapper hides in `cause` at times, in one line. */
function reasonOf(error: unknown): string {
  if (codeOf(error) === "LEVEL_LOCKED") return "another process has it open";
  const { cause, message } = error as Error & { cause?: Error };
  return (cause?.message ?? message).replace(/\s+/g, " ");
}

function codeOf(error: unknown): string | undefined {
  const { cause, code } = error as { cause?: { code?: string }; code?: string };
  return cause?.code ?? code;
}
