import { decodeGap, encodeGap, type Gap, isReason } from "./gap.ts";
import { openSealed, sealJson } from "./sealed.ts";

/**
 * The application acknowledgement: sealed JSON text, so that a person with any MQTT client can read it.
 * A device drops a frame from its outbox on "committed" alone, sets it aside on "refused", and only
 * takes note of "unreadable" (the frame was altered on the way; it is sent again). "noted" answers a
 * gap notice; "busy" says that a frame was left unread for want of room: send fewer at once.
 */
export type Ack =
  | { status: "committed"; record: bigint; modelId: string }
  | { status: "refused"; record: bigint; modelId: string; reason: string }
  | { status: "unreadable"; reason: string }
  | { status: "noted"; gap: Gap }
  | { status: "busy" };

/** An acknowledgement longer than this is not read. */
export const ACK_BYTES_MAX = 512;

/** The bytes of an acknowledgement, sealed with a checksum. */
export function encodeAck(ack: Ack): Uint8Array {
  return sealJson(documentOf(ack));
}

/** The acknowledgement in `bytes`, or undefined when it is not one: never throws. */
export function decodeAck(bytes: Uint8Array): Ack | undefined {
  const document = openSealed(bytes, ACK_BYTES_MAX);
  if (document === undefined) return undefined;
  const { status, record, modelId, reason } = document;
  if (status === "busy") return { status };
  if (status === "noted") {
    const gap = decodeGap(document);
    return gap && { status, gap };
  }
  if (status === "unreadable") {
    return isReason(reason) ? { status, reason } : undefined;
  }
  if (typeof record !== "string" || !/^\d{1,20}$/.test(record)) return undefined;
  if (typeof modelId !== "string" || !/^[0-9a-f]{16}$/.test(modelId)) return undefined;
  const id = { record: BigInt(record), modelId };
  if (status === "committed") return { status, ...id };
  return status === "refused" && isReason(reason) ? { status, ...id, reason } : undefined;
}

function documentOf(ack: Ack): Record<string, unknown> {
  switch (ack.status) {
    case "committed":
    case "refused":
      return { ...ack, record: ack.record.toString(10) };
    case "noted":
      return { status: ack.status, ...encodeGap(ack.gap) };
    default:
      return ack;
  }
}
