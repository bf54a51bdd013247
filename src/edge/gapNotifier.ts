import {
  encodeGapNotice,
  type Gap,
  gapTopic,
  type MessageLink,
  shardOf,
} from "../protocol/index.ts";
import type { Outbox } from "./outbox.ts";

export interface GapNotifierOptions {
  link: MessageLink;
  outbox: Outbox;
  survey: string;
  device: number;
  shards: number;
  ackTimeoutMs: number;
  /** Milliseconds on any steady clock. */
  now: () => number;
}

interface Notice {
  readonly gap: Gap;
  /** Shards whose central process has not noted it. */
  readonly shards: Set<number>;
  resendAtMs: number;
  attempt: number;
}

/** Tells central of the outbox's gaps, one after the other, each until it is noted on disk there. */
export class GapNotifier {
  readonly #options: GapNotifierOptions;
  #notice: Notice | undefined;

  constructor(options: GapNotifierOptions) {
    this.#options = options;
  }

  /** Reports the next gap, unless one is under way. */
  pump(): void {
    if (this.#notice !== undefined || !this.#options.link.connected) return;
    const gap = this.#options.outbox.firstGap();
    if (gap === undefined) return;
    const shards = shardsOf(gap, this.#options.shards);
    this.#notice = { gap, shards, resendAtMs: 0, attempt: 0 };
    this.#publish(this.#notice);
  }

  /** Reports again what was not noted in time. Call it a few times per second. */
  tick(): void {
    const { link, now } = this.#options;
    if (this.#notice === undefined) this.pump();
    else if (link.connected && this.#notice.resendAtMs <= now()) this.#publish(this.#notice);
  }

  /** The link is up again, or a central process came online: what it missed need not wait. */
  resend(): void {
    this.#notice = undefined;
    this.pump();
  }

  /** Central has the gap of `shard` on disk. Rejects when the outbox cannot be written. */
  async noted(gap: Gap, shard: number): Promise<void> {
    const notice = this.#notice;
    if (notice === undefined || !same(notice.gap, gap)) return;
    notice.shards.delete(shard);
    if (notice.shards.size > 0) return;
    await this.#options.outbox.noted(gap);
    if (this.#notice === notice) this.#notice = undefined;
    this.pump();
  }

  #publish(notice: Notice): void {
    const { link, survey, device, ackTimeoutMs, now } = this.#options;
    notice.resendAtMs = now() + ackTimeoutMs * 2 ** Math.min(notice.attempt++, 3);
    const bytes = encodeGapNotice(notice.gap);
    for (const shard of notice.shards) {
      // What a broken link loses is sent again when it is back.
      link.publish(gapTopic(survey, shard, device), bytes, { qos: 1 }).catch(() => {});
    }
  }
}

/** The shards that records of the gap may belong to. */
function shardsOf({ from, to }: Gap, shards: number): Set<number> {
  const found = new Set<number>();
  for (let record = from; record <= to && found.size < shards; record++) {
    found.add(shardOf(record, shards));
  }
  return found;
}

function same(a: Gap, b: Gap): boolean {
  return (
    a.from === b.from &&
    a.to === b.to &&
    a.lost === b.lost &&
    a.modelId === b.modelId &&
    a.reason === b.reason
  );
}
