import { crc32c } from "./crc32c.ts";

/**
 * JSON that shows when it was altered on the way: `{"a":"1","crc":"e3069283"}`, the last member being
 * the CRC-32C, in hexadecimal, of all bytes before its comma. A flipped bit in an acknowledgement
 * would otherwise take another record out of an outbox.
 */
export function sealJson(document: Readonly<Record<string, unknown>>): Uint8Array {
  const text = JSON.stringify(document).slice(0, -1);
  const encoder = new TextEncoder();
  const crc = crc32c(encoder.encode(text)).toString(16).padStart(8, "0");
  return encoder.encode(`${text},"crc":"${crc}"}`);
}

/** The document in `bytes`; undefined when it is longer than `bytesMax`, altered, or no object: never throws. */
export function openSealed(
  bytes: Uint8Array,
  bytesMax: number,
): Record<string, unknown> | undefined {
  const end = bytes.length - SEAL_BYTES;
  if (bytes.length > bytesMax || end < 1) return undefined;
  const seal = SEAL.exec(new TextDecoder().decode(bytes.subarray(end)));
  if (seal === null || Number.parseInt(seal[1]!, 16) !== crc32c(bytes.subarray(0, end))) {
    return undefined;
  }
  return parseJson(bytes, bytesMax);
}

/** The JSON object in `bytes`, or undefined when it is none or longer than `bytesMax`. */
export function parseJson(
  bytes: Uint8Array,
  bytesMax: number,
): Record<string, unknown> | undefined {
  if (bytes.length > bytesMax) return undefined;
  try {
    const document: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof document === "object" && document !== null) {
      return document as Record<string, unknown>;
    }
  } catch {
    // No JSON: undefined like everything else that is not an object.
  }
  return undefined;
}

const SEAL = /^,"crc":"([0-9a-f]{8})"\}$/;
const SEAL_BYTES = ',"crc":"00000000"}'.length;
