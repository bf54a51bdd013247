/**
 * Remainders of the 16 nibbles: two steps a byte, and no large table to fill at start-up. Signed, as bitwise operators give
 * them: an integer above 2^31 is an object until its code is compiled.
 */
const NIBBLES = Int32Array.from({ length: 16 }, (_, nibble) => {
  let remainder = nibble;
  for (let bit = 0; bit < 4; bit++) {
    remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
  }
  return remainder;
});

/** CRC-32 (IEEE 802.3, reflected, polynomial 0xEDB88320) of `bytes`, continued from `crc`. */
export function crc32(bytes: Uint8Array, crc = 0): number {
  let remainder = ~crc;
  for (let i = 0; i < bytes.length; i++) {
    remainder ^= bytes[i]!;
    remainder = (remainder >>> 4) ^ NIBBLES[remainder & 15]!;
    remainder = (remainder >>> 4) ^ NIBBLES[remainder & 15]!;
  }
  return ~remainder >>> 0;
}
