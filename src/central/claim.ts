import { claimTopic, type MessageLink, openSealed, sealJson } from "../protocol/index.ts";

/** A central process's word on the shards it serves or wants to. */
export interface Claim {
  /** 16 hex digits, drawn at the start of the process. */
  readonly instance: string;
  readonly served: readonly number[];
  readonly shards: number;
  /** Serving already, not asking. */
  readonly held: boolean;
  /** Wall clock when the process first asked, ms. */
  readonly sinceMs: number;
  /** For people: host and process id. */
  readonly where: string;
}

export interface ClaimOptions extends Omit<Claim, "held" | "sinceMs"> {
  link: MessageLink;
  survey: string;
  /** How long an objection is waited for. Default 1 s. */
  waitMs?: number;
  /** Milliseconds on a steady clock. */
  now: () => number;
  /** Wall clock, ms. */
  wallMs: () => number;
}

const WAIT_MS = 1000;
/** Holders repeat themselves, should a broker have lost what they said. */
const REPEAT_MS = 10_000;
const CLAIM_BYTES_MAX = 16_384;

/** Another central process has the better claim. */
export class ClaimError extends Error {
  override readonly name = "ClaimError";
}

/**
 * Sees to it that each shard has one central process, over any broker and without state in it: who
 * starts says so on a topic that all hear, and serves when nobody objects in time; who hears of a
 * worse claim to a shard of its own objects; who hears of a better one gives up. Claims are
 * ordered: holding beats asking, then the earlier, then the instance. A process's own place only
 * ever improves, so of two that hear each other exactly one stays; that includes the case where both
 * have begun to serve, because the broker was away when they asked.
 */
export class ShardClaim {
  readonly #options: ClaimOptions;
  readonly #waitMs: number;
  readonly #sinceMs: number;
  #askedMs: number | undefined;
  #repeatAtMs = Number.POSITIVE_INFINITY;
  #held = false;
  #error: ClaimError | undefined;
  #onHeld: () => void = () => {};
  #onLost: (error: ClaimError) => void = () => {};

  constructor(options: ClaimOptions) {
    this.#options = options;
    this.#waitMs = options.waitMs ?? WAIT_MS;
    this.#sinceMs = options.wallMs();
    options.link.onMessage(({ payload }) => this.#receive(payload));
    options.link.onConnection((connected) => (connected ? this.#ask() : this.#interrupt()));
  }

  /** Starts to ask, when the link is up. */
  async start(): Promise<void> {
    const { link, survey } = this.#options;
    await link.subscribe([claimTopic(survey)]);
    if (link.connected) this.#ask();
  }

  /** Resolves when the shards are this process's; rejects with ClaimError when they are another's. */
  held(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onHeld = resolve;
      this.#onLost = reject;
      if (this.#error !== undefined) reject(this.#error);
      else if (this.#held) resolve();
    });
  }

  /** Called when a claim that was held turns out to be another's. */
  onLost(handler: (error: ClaimError) => void): void {
    this.#onLost = handler;
    if (this.#error !== undefined) handler(this.#error);
  }

  /** Moves time on. Call it a few times per second. */
  tick(): void {
    const now = this.#options.now();
    if (this.#error !== undefined || this.#askedMs === undefined) return;
    if (!this.#held && now - this.#askedMs >= this.#waitMs) {
      this.#held = true;
      this.#announce();
      this.#onHeld();
    } else if (this.#held && now >= this.#repeatAtMs) {
      this.#announce();
    }
  }

  #ask(): void {
    this.#askedMs = this.#options.now();
    this.#announce();
    this.tick();
  }

  /** Silence while the link is down says nothing: the wait starts again with the next connection. */
  #interrupt(): void {
    this.#askedMs = undefined;
  }

  #announce(): void {
    const { link, survey, now } = this.#options;
    this.#repeatAtMs = now() + REPEAT_MS;
    const bytes = sealJson({ ...this.#own() });
    // Lost with the link: said again when it is back.
    link.publish(claimTopic(survey), bytes, { qos: 1 }).catch(() => {});
  }

  #own(): Claim {
    const { instance, served, shards, where } = this.#options;
    return { instance, served, shards, held: this.#held, sinceMs: this.#sinceMs, where };
  }

  #receive(payload: Uint8Array): void {
    const other = decodeClaim(payload);
    const own = this.#own();
    if (other === undefined || this.#error !== undefined || !conflict(own, other)) return;
    if (better(own, other)) {
      this.#announce();
      return;
    }
    this.#error = new ClaimError(describe(this.#options.survey, own, other));
    this.#onLost(this.#error);
  }
}

/** Whether two claims cannot both stand. Another number of shards spreads the records differently. */
function conflict(a: Claim, b: Claim): boolean {
  if (a.instance === b.instance) return false;
  return a.shards !== b.shards || a.served.some((shard) => b.served.includes(shard));
}

function better(a: Claim, b: Claim): boolean {
  if (a.held !== b.held) return a.held;
  return a.sinceMs !== b.sinceMs ? a.sinceMs < b.sinceMs : a.instance < b.instance;
}

function describe(survey: string, own: Claim, other: Claim): string {
  const shared = own.served.filter((shard) => other.served.includes(shard));
  const wanted =
    own.shards === other.shards
      ? `shard ${shared.join(", ")} of ${own.shards} of survey ${survey} unclaimed`
      : `survey ${survey} in ${other.shards} shards`;
  const since = new Date(other.sinceMs).toISOString();
  const got = own.shards === other.shards ? "" : `${own.shards}, beside `;
  return (
    `--shards: expected ${wanted}, got ${got}a central process that ` +
    `${other.held ? "serves" : "asked for"} ${other.served.join(",")}/${other.shards} ` +
    `since ${since} (${other.where})`
  );
}

/** The claim in `bytes`, or undefined when it is none: never throws. */
export function decodeClaim(bytes: Uint8Array): Claim | undefined {
  const document = openSealed(bytes, CLAIM_BYTES_MAX);
  if (document === undefined) return undefined;
  const { instance, served, shards, held, sinceMs, where } = document;
  if (typeof instance !== "string" || !/^[0-9a-f]{16}$/.test(instance)) return undefined;
  if (typeof where !== "string" || !/^[\w.:@ -]{1,100}$/.test(where)) return undefined;
  if (typeof held !== "boolean" || !isCount(sinceMs, 8.64e15) || !isCount(shards, 0xffff)) {
    return undefined;
  }
  if (!Array.isArray(served) || !served.every((shard) => isCount(shard, shards - 1))) {
    return undefined;
  }
  return { instance, served, shards, held, sinceMs, where };
}

function isCount(value: unknown, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max;
}
