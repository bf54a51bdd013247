import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { inGap } from "../protocol/index.ts";
import { GapStore, type StoredGap } from "./gaps.ts";
import { type RecordDocument, readDocument } from "./store.ts";

/** A record without the frames of some devices, and why, where a device has said so. */
export interface RecordGaps {
  readonly record: string;
  readonly devices: readonly { readonly device: number; readonly reason: string | null }[];
}

export interface GapReport {
  /** The records looked for, both included. */
  readonly from: string;
  readonly to: string;
  readonly records: number;
  readonly complete: number;
  /** Results that lack devices. */
  readonly partial: readonly RecordGaps[];
  /** Records without a result. */
  readonly missing: readonly RecordGaps[];
  /** Frames that are not there, with a reason and without. */
  readonly namedFrames: number;
  readonly unnamedFrames: number;
}

/** Records that one report can span. */
export const REPORT_RECORDS_MAX = 10_000_000;

/**
 * Accounts for every record of a range: complete, or which devices are missing and why.
 * @param outs result folders of the survey's central processes
 * @param range default: from the first record found to the last
 * @throws Error of one line for folders without results, damaged files, or too long a range
 */
export async function gapReport(
  outs: readonly string[],
  range: { from?: bigint; to?: bigint } = {},
): Promise<GapReport> {
  const documents = new Map<bigint, RecordDocument>();
  const gaps: StoredGap[] = [];
  for (const out of outs) {
    for (const name of (await readdir(out)).filter((entry) => /^\d{1,20}$/.test(entry))) {
      const document = await readDocument(join(out, name));
      if (document !== undefined) documents.set(BigInt(name), document);
    }
    gaps.push(...(await new GapStore(out).load()));
  }
  const devices = deviceCount(documents, gaps);
  if (devices === 0) throw new Error(`${outs.join(", ")}: expected results, got none`);
  const { from, to } = bounds(documents, gaps, range);
  return account(documents, gaps, devices, from, to);
}

function account(
  documents: ReadonlyMap<bigint, RecordDocument>,
  gaps: readonly StoredGap[],
  devices: number,
  from: bigint,
  to: bigint,
): GapReport {
  const partial: RecordGaps[] = [];
  const missing: RecordGaps[] = [];
  const all = Array.from({ length: devices }, (_, device) => device);
  const counts = { named: 0, unnamed: 0 };
  let complete = 0;
  for (let record = from; record <= to; record++) {
    const document = documents.get(record);
    const lacking = document?.devicesMissing ?? all;
    if (lacking.length === 0) complete++;
    else {
      const why = lacking.map((device) => ({ device, reason: reasonOf(gaps, device, record) }));
      for (const { reason } of why) counts[reason === null ? "unnamed" : "named"]++;
      (document ? partial : missing).push({ record: `${record}`, devices: why });
    }
  }
  const records = Number(to - from + 1n);
  const found = { from: `${from}`, to: `${to}`, records, complete, partial, missing };
  return { ...found, namedFrames: counts.named, unnamedFrames: counts.unnamed };
}

function reasonOf(gaps: readonly StoredGap[], device: number, record: bigint): string | null {
  return gaps.find((gap) => gap.device === device && inGap(gap, record))?.reason ?? null;
}

function deviceCount(
  documents: ReadonlyMap<bigint, RecordDocument>,
  gaps: readonly StoredGap[],
): number {
  const counts = [...documents.values()].map(
    ({ devicesPresent, devicesMissing }) => devicesPresent.length + devicesMissing.length,
  );
  return [...counts, ...gaps.map(({ device }) => device + 1)].reduce((a, b) => Math.max(a, b), 0);
}

function bounds(
  documents: ReadonlyMap<bigint, RecordDocument>,
  gaps: readonly StoredGap[],
  range: { from?: bigint; to?: bigint },
): { from: bigint; to: bigint } {
  const known = [...documents.keys(), ...gaps.flatMap((gap) => [gap.from, gap.to])];
  const from = range.from ?? known.reduce((a, b) => (a < b ? a : b));
  const to = range.to ?? known.reduce((a, b) => (a > b ? a : b));
  if (from > to) throw new Error(`range: expected an end of at least ${from}, got ${to}`);
  if (to - from >= BigInt(REPORT_RECORDS_MAX)) {
    throw new Error(
      `range: expected at most ${REPORT_RECORDS_MAX} records, got ${from} to ${to}: narrow it`,
    );
  }
  return { from, to };
}
