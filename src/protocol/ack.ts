/**
 * The application acknowledgement: JSON text, so that a person with any MQTT client can read it.
 * A device drops a frame from its outbox on "committed" alone, sets it aside on "refused", and only
 * takes note of "unreadable" (the frame was altered on the way; it is sent again).
 */
export type Ack =
  | { status: "committed"; record: bigint; modelId: string }
  | { status: "refused"; record: bigint; modelId: string; reason: string }
  | { status: "unreadable"; reason: string };

/** An acknowledgement longer than this is not read. */
export const ACK_BYTES_MAX = 512;

export function encodeAck(ack: Ack): Uint8Array {
  const document = ack.status === "unreadable" ? ack : { ...ack, record: ack.record.toString(10) };
  return new TextEncoder().encode(JSON.stringify(document));
}

/** The acknowledgement in `bytes`, or undefined when it is not one: never throws. */
export function decodeAck(bytes: Uint8Array): Ack | undefined {
  if (bytes.length > ACK_BYTES_MAX) return undefined;
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof document !== "object" || document === null) return undefined;
  const { status, record, modelId, reason } = document as Record<string, unknown>;
  if (status === "unreadable") {
    return isReason(reason) ? { status, reason } : undefined;
  }
  if (typeof record !== "string" || !/^\d{1,20}$/.test(record)) return undefined;
  if (typeof modelId !== "string" || !/^[0-9a-f]{16}$/.test(modelId)) return undefined;
  const id = { record: BigInt(record), modelId };
  if (status === "committed") return { status, ...id };
  return status === "refused" && isReason(reason) ? { status, ...id, reason } : undefined;
}

function isReason(value: unknown): value is string {
  return typeof value === "string" && /^[a-z0-9-]{1,64}$/.test(value);
}
