import { FrameError } from "./frameError.ts";

/** Payload encodings, by the number that stands in the header. */
export const Encoding = {
  /** One latent code per byte, two's complement, -127..127. */
  int8: 0,
  /** Two codes per byte, low nibble first, -7..7 in steps of {@link NIBBLE_STEP}; half the bytes. */
  nibble: 1,
  /** Reserved for an entropy-coded payload: refused by this version with its own code. */
  entropy: 2,
} as const;

export type LatentEncoding = typeof Encoding.int8 | typeof Encoding.nibble;

/** Latent codes per step of the 4-bit encoding: 7 · 18 = 126 covers the range of an int8 code. */
export const NIBBLE_STEP = 18;

/**
 * Payload bytes of `latent` (codes -127..127). The 4-bit encoding loses precision: a code q becomes
 * clamp(round(q / 18), -7, 7), ties to even, and it needs an even number of codes.
 * @throws FrameError "bad-field" for a code of -128 or an odd count
 */
export function encodePayload(latent: Int8Array, encoding: LatentEncoding): Uint8Array {
  if (latent.includes(-128)) {
    throw new FrameError("bad-field", "latent: expected codes -127..127, got -128");
  }
  if (encoding === Encoding.int8) return new Uint8Array(latent.buffer.slice(...span(latent)));
  if (latent.length % 2 !== 0) {
    throw new FrameError(
      "bad-field",
      `latent: expected an even count for 4-bit, got ${latent.length}`,
    );
  }
  const payload = new Uint8Array(latent.length / 2);
  for (let i = 0; i < payload.length; i++) {
    payload[i] = (nibble(latent[2 * i]!) & 15) | ((nibble(latent[2 * i + 1]!) & 15) << 4);
  }
  return payload;
}

/**
 * Latent codes of a payload: a fresh array of payload.length codes (int8) or twice as many (4-bit).
 * @throws FrameError "bad-field" where a code is out of range (-128, or nibble -8)
 */
export function decodePayload(payload: Uint8Array, encoding: LatentEncoding): Int8Array {
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

/** No code -127..127 is half-way between two steps but multiples of 9, which round to even. */
function nibble(code: number): number {
  const scaled = code / NIBBLE_STEP;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
  return Math.max(-7, Math.min(7, rounded));
}

function span(view: Int8Array | Uint8Array): [number, number] {
  return [view.byteOffset, view.byteOffset + view.byteLength];
}
