import { decodeGap, encodeGap, type Gap, isReason } from "./gap.ts";
import { openSealed, sealJson } from "./sealed.ts";

/**
 * The application acknowledgement: sealed JSON text, so that a person with any MQTT client can read it.
 * A device drops a frame from its outbox on "committed" alone, sets it aside on "refused", and only
 * takes note of "unreadable" (the frame was altered on the way; it is sent again). "noted" answers a
 * gap notice; "busy" says that a frame was left unread for want of room: send fewer at once.
 */
export type Ack =
  | {
      status: "committed";
      record: bigint;
      modelId: string;
      /** Other records of the device that are committed as well. */
      also?: readonly bigint[];
    }
  | { status: "refused"; record: bigint; modelId: string; reason: string }
  | { status: "unreadable"; reason: string }
  | { status: "noted"; gap: Gap }
  | { status: "busy" };

/** An acknowledgement longer than this is not read. */
export const ACK_BYTES_MAX = 512;

/** All but the records: braces, member names, status, model id and seal. */
const ACK_FRAME_BYTES = 112;

/**
 * As few acknowledgements as say that all of `records` are committed. What a message costs beside its
 * contents is several times a record number, on the radio of a device most of all.
 */
export function committedAcks(records: readonly bigint[], modelId: string): Ack[] {
  const acks: Ack[] = [];
  let group: bigint[] = [];
  let bytes = ACK_FRAME_BYTES;
  const close = () => {
    const [record, ...also] = group.reverse();
    if (record === undefined) return;
    acks.push({ status: "committed", record, modelId, ...(also.length > 0 && { also }) });
  };
  for (const record of records) {
    const more = `"${record}",`.length;
    if (bytes + more > ACK_BYTES_MAX) {
      close();
      group = [];
      bytes = ACK_FRAME_BYTES;
    }
    group.push(record);
    bytes += more;
  }
  close();
  return acks;
}

/** The bytes of an acknowledgement, sealed with a checksum. */
export function encodeAck(ack: Ack): Uint8Array {
  return sealJson(documentOf(ack));
}

/** The acknowledgement in `bytes`, or undefined when it is not one: never throws. */
export function decodeAck(bytes: Uint8Array): Ack | undefined {
  const document = openSealed(bytes, ACK_BYTES_MAX);
  if (document === undefined) return undefined;
  const { status, record, modelId, reason, also } = document;
  if (status === "busy") return { status };
  if (status === "noted") {
    const gap = decodeGap(document);
    return gap && { status, gap };
  }
  if (status === "unreadable") {
    return isReason(reason) ? { status, reason } : undefined;
  }
  if (!isRecord(record)) return undefined;
  if (typeof modelId !== "string" || !/^[0-9a-f]{16}$/.test(modelId)) return undefined;
  const id = { record: BigInt(record), modelId };
  if (status === "committed") {
    if (also === undefined) return { status, ...id };
    if (!Array.isArray(also) || !also.every(isRecord)) return undefined;
    return { status, ...id, also: also.map(BigInt) };
  }
  return status === "refused" && isReason(reason) ? { status, ...id, reason } : undefined;
}

function isRecord(value: unknown): value is string {
  return typeof value === "string" && /^\d{1,20}$/.test(value);
}

function documentOf(ack: Ack): Record<string, unknown> {
  switch (ack.status) {
    case "committed": {
      const { also, ...one } = ack;
      const document = { ...one, record: one.record.toString(10) };
      return also === undefined ? document : { ...document, also: also.map(String) };
    }
    case "refused":
      return { ...ack, record: ack.record.toString(10) };
    case "noted":
      return { status: ack.status, ...encodeGap(ack.gap) };
    default:
      return ack;
  }
}
