import { openSealed, sealJson } from "./sealed.ts";

/**
 * A gap: records whose latents a device can no longer send, and why. A loss is named, never silent:
 * the device keeps the notice until central has it on disk.
 */
export interface Gap {
  /** First and last record that the gap touches. */
  readonly from: bigint;
  readonly to: bigint;
  /** Frames lost between the two: to - from + 1 when every record there is. */
  readonly lost: bigint;
  readonly modelId: string;
  readonly reason: GapReason;
}

/** Why frames are lost; `refused-` is followed by central's reason. */
export type GapReason =
  /** The outbox was full and told to drop the oldest. */
  | "outbox-full"
  /** Older than the outbox keeps frames. */
  | "expired"
  /** The outbox gave back something that is no frame. */
  | "damaged"
  /** The record's file could not be taken (wrong shape, NaN, ids that another file has). */
  | "bad-source"
  | `refused-${string}`;

/** A notice longer than this is not read. */
export const GAP_BYTES_MAX = 512;

/** The notice as a device publishes it: sealed JSON, record ids as decimal strings. */
export function encodeGapNotice(gap: Gap): Uint8Array {
  return sealJson(encodeGap(gap));
}

/** The gap in `bytes`, or undefined when it is none: never throws. */
export function decodeGapNotice(bytes: Uint8Array): Gap | undefined {
  const document = openSealed(bytes, GAP_BYTES_MAX);
  return document && decodeGap(document);
}

/** The gap's fields as they stand in JSON. */
export function encodeGap({ from, to, lost, modelId, reason }: Gap): Record<string, string> {
  return { from: `${from}`, to: `${to}`, lost: `${lost}`, modelId, reason };
}

/** The reverse of {@link encodeGap}; other fields of `document` are not looked at. */
export function decodeGap(document: Record<string, unknown>): Gap | undefined {
  const { modelId, reason } = document;
  const [from, to, lost] = [document.from, document.to, document.lost].map(asRecordId);
  if (from === undefined || to === undefined || lost === undefined) return undefined;
  if (from > to || lost < 1n || lost > to - from + 1n) return undefined;
  if (typeof modelId !== "string" || !/^[0-9a-f]{16}$/.test(modelId)) return undefined;
  return isReason(reason) ? { from, to, lost, modelId, reason: reason as GapReason } : undefined;
}

/** True where `record` lies in the gap. */
export function inGap({ from, to }: Pick<Gap, "from" | "to">, record: bigint): boolean {
  return from <= record && record <= to;
}

/** A reason as it stands in messages, logs, file names and metric labels. */
export function isReason(value: unknown): value is string {
  return typeof value === "string" && /^[a-z0-9-]{1,64}$/.test(value);
}

function asRecordId(value: unknown): bigint | undefined {
  if (typeof value !== "string" || !/^\d{1,20}$/.test(value)) return undefined;
  const id = BigInt(value);
  return id < 2n ** 64n ? id : undefined;
}
