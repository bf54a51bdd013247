import type { LatentCoder } from "./entropy.ts";
import { FrameError } from "./frameError.ts";
import { NIBBLE_STEP, nibbleOf } from "./nibble.ts";

/** Payload encodings, by the number that stands in the header. */
export const Encoding = {
  /** One latent code per byte, two's complement, -127..127. */
  int8: 0,
  /** Two codes per byte, low nibble first, -7..7 in steps of {@link NIBBLE_STEP}; half the bytes. */
  nibble: 1,
  /** The nibbles of encoding 1 under a static entropy coder: {@link LatentCoder}. */
  entropy: 2,
} as const;

/** How a frame's payload holds the latent: one of `Encoding`. */
export type LatentEncoding = (typeof Encoding)[keyof typeof Encoding];

/**
 * Payload bytes of `latent` (codes -127..127). The 4-bit encoding loses precision: a code q becomes
 * clamp(round(q / 18), -7, 7), ties to even, and it needs an even number of codes. The entropy-coded
 * one loses the same, and needs the model's coder.
 * @throws FrameError "bad-field" for a code of -128 or a wrong count, "no-tables" without a coder
 */
export function encodePayload(
  latent: Int8Array,
  encoding: LatentEncoding,
  coder?: LatentCoder,
): Uint8Array {
  if (latent.includes(-128)) {
    throw new FrameError("bad-field", "latent: expected codes -127..127, got -128");
  }
  if (encoding === Encoding.int8) return new Uint8Array(latent.buffer.slice(...span(latent)));
  if (encoding === Encoding.entropy) return present(coder).encode(latent);
  if (latent.length % 2 !== 0) {
    throw new FrameError(
      "bad-field",
      `latent: expected an even count for 4-bit, got ${latent.length}`,
    );
  }
  const payload = new Uint8Array(latent.length / 2);
  for (let i = 0; i < payload.length; i++) {
    payload[i] = (nibbleOf(latent[2 * i]!) & 15) | ((nibbleOf(latent[2 * i + 1]!) & 15) << 4);
  }
  return payload;
}

/**
 * Latent codes of a payload: a fresh array of payload.length codes (int8), twice as many (4-bit), or
 * as many as the coder's model has (entropy-coded).
 * @throws FrameError "bad-field" where a code is out of range (-128, or nibble -8), "no-tables" without
 *   a coder, or what {@link LatentCoder.decode} throws
 */
export function decodePayload(
  payload: Uint8Array,
  encoding: LatentEncoding,
  coder?: LatentCoder,
): Int8Array {
  if (encoding === Encoding.entropy) return present(coder).decode(payload);
  if (encoding === Encoding.int8) {
    if (payload.includes(0x80)) {
      throw new FrameError("bad-field", "payload: expected codes -127..127, got -128");
    }
    return new Int8Array(payload.buffer.slice(...span(payload)));
  }
  const latent = new Int8Array(payload.length * 2);
  for (let i = 0; i < payload.length; i++) {
    const low = (payload[i]! << 28) >> 28;
    const high = (payload[i]! << 24) >> 28;
    if (low === -8 || high === -8) {
      throw new FrameError("bad-field", "payload: expected nibbles -7..7, got -8");
    }
    latent[2 * i] = low * NIBBLE_STEP;
    latent[2 * i + 1] = high * NIBBLE_STEP;
  }
  return latent;
}

function present(coder: LatentCoder | undefined): LatentCoder {
  if (coder !== undefined) return coder;
  throw new FrameError(
    "no-tables",
    "encoding 2 (entropy): expected a model with frequency tables, got one without",
  );
}

function span(view: Int8Array | Uint8Array): [number, number] {
  return [view.byteOffset, view.byteOffset + view.byteLength];
}
