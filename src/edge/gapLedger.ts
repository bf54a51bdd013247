import { decodeGap, encodeGap, type Gap, type GapReason, parseJson } from "../protocol/index.ts";
import type { Write } from "./levelStore.ts";

/** One frame that will not be sent. */
export interface Loss {
  readonly record: bigint;
  readonly modelId: string;
  readonly reason: GapReason;
}

/** Changes of the ledger: `writes` belong on disk first, then `apply` changes the memory. */
export interface LedgerChange {
  readonly writes: Write[];
  apply(): void;
}

const PREFIX = "gap!";
const GAP_BYTES_MAX = 1024;
const GAPS_MAX = 10_000;

/**
 * Losses that central has not noted yet. Records that follow one another are one gap, so that days
 * of an outage with a full outbox stay small; beyond `gapsMax` gaps a loss widens the last gap of its
 * kind, which then states how many of its records are lost instead of exactly which.
 */
export class GapLedger {
  readonly #gapsMax: number;
  readonly #gaps = new Map<string, Gap>();
  /** Key of the gap that a next loss of the same model and reason may continue. */
  readonly #latest = new Map<string, string>();

  constructor(gapsMax = GAPS_MAX) {
    this.#gapsMax = gapsMax;
  }

  static owns(key: string): boolean {
    return key.startsWith(PREFIX);
  }

  /** Takes over an entry from disk; one that is damaged is left out. */
  load(value: Uint8Array): void {
    const gap = decodeGap(parseJson(value, GAP_BYTES_MAX) ?? {});
    if (gap !== undefined) this.#set(gap);
  }

  get size(): number {
    return this.#gaps.size;
  }

  /** The gap to be reported next. */
  first(): Gap | undefined {
    return this.#gaps.values().next().value;
  }

  add(losses: readonly Loss[]): LedgerChange {
    const changed = new Map<string, Gap>();
    const removed = new Set<string>();
    const latest = new Map(this.#latest);
    for (const loss of losses) {
      const kind = kindOf(loss);
      const key = latest.get(kind);
      const last = key === undefined ? undefined : (changed.get(key) ?? this.#gaps.get(key));
      const full = this.#gaps.size + changed.size >= this.#gapsMax;
      const fresh = newGap(loss);
      // A record lost again may start an earlier gap, whose key it would take: the rest must stay.
      const own = changed.get(keyOf(fresh)) ?? this.#gaps.get(keyOf(fresh));
      const gap =
        (last && continued(last, loss.record, full)) ??
        (own && continued(own, loss.record, false)) ??
        fresh;
      if (last !== undefined && gap.from < last.from && gap.to >= last.to) {
        changed.delete(key!);
        removed.add(key!);
      }
      changed.set(keyOf(gap), gap);
      latest.set(kind, keyOf(gap));
    }
    const writes = [...removed].map((key): Write => ({ type: "del", key }));
    for (const gap of changed.values()) writes.push(putOf(gap));
    return {
      writes,
      apply: () => {
        for (const key of removed) this.#gaps.delete(key);
        for (const gap of changed.values()) this.#set(gap);
      },
    };
  }

  /** Central has `noted` on disk: what was added to that gap since stays. */
  noted(noted: Gap): LedgerChange {
    const key = keyOf(noted);
    const gap = this.#gaps.get(key);
    if (gap === undefined || noted.to > gap.to) return { writes: [], apply: () => {} };
    const rest = remainder(gap, noted);
    const writes: Write[] = [{ type: "del", key }];
    if (rest !== undefined) writes.push(putOf(rest));
    return {
      writes,
      apply: () => {
        this.#gaps.delete(key);
        this.#latest.delete(kindOf(gap));
        if (rest !== undefined) this.#set(rest);
      },
    };
  }

  #set(gap: Gap): void {
    const key = keyOf(gap);
    this.#gaps.set(key, gap);
    this.#latest.set(kindOf(gap), key);
  }
}

/** `gap` with one more record, where that follows it, lies in it, or has to be squeezed in. */
function continued(gap: Gap, record: bigint, squeeze: boolean): Gap | undefined {
  const follows = record >= gap.from && record <= gap.to + 1n;
  if (!follows && !squeeze) return undefined;
  const from = record < gap.from ? record : gap.from;
  const to = record > gap.to ? record : gap.to;
  const span = to - from + 1n;
  const lost = gap.lost + 1n > span ? span : gap.lost + 1n;
  return { ...gap, from, to, lost };
}

function newGap({ record, modelId, reason }: Loss): Gap {
  return { from: record, to: record, lost: 1n, modelId, reason };
}

function remainder(gap: Gap, noted: Gap): Gap | undefined {
  const lost = gap.lost - noted.lost;
  if (gap.to === noted.to || lost < 1n) return undefined;
  const from = noted.to + 1n;
  const span = gap.to - from + 1n;
  return { ...gap, from, lost: lost > span ? span : lost };
}

function keyOf({ from, modelId, reason }: Gap): string {
  return `${PREFIX}${from.toString().padStart(20, "0")}!${modelId}!${reason}`;
}

function kindOf({ modelId, reason }: Pick<Gap, "modelId" | "reason">): string {
  return `${modelId}!${reason}`;
}

function putOf(gap: Gap): Write {
  const value = new TextEncoder().encode(JSON.stringify(encodeGap(gap)));
  return { type: "put", key: keyOf(gap), value };
}
