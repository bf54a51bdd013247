/** One record decoded under worse conditions: devices missing, latents in 4 bits. */
import type { CentralDecoder } from "../central/decoder.ts";
import { decodePayload, Encoding, encodePayload } from "../protocol/index.ts";

export interface Variant {
  /** `bits4`, `missing1`, `missing2`, `missing3`. */
  readonly name: string;
  /** Indices of the devices that were left out. */
  readonly missing: readonly number[];
  /** [rows][columns], m/s. */
  readonly map: Float32Array;
}

/**
 * The record from 4-bit latents, without each of its devices in turn, and without one pair and one
 * triple, which go round with the record's index so that a set of records meets all of them.
 * latents int8 [devices][slots][channels]
 */
export function decodeVariants(
  decoder: CentralDecoder,
  latents: Int8Array,
  index: number,
): Variant[] {
  const devices = decoder.config.geometry.devices.length;
  const decode = (name: string, missing: readonly number[], codes = latents): Variant => {
    const present = Array.from({ length: devices }, (_, device) => !missing.includes(device));
    return { name, missing, map: decoder.decode(codes, { present }).slice() };
  };
  const nibbles = decodePayload(encodePayload(latents, Encoding.nibble), Encoding.nibble);
  const variants = [decode("bits4", [], nibbles)];
  for (const count of [1, 2, 3]) {
    if (count >= devices) break;
    const groups = combinations(devices, count);
    const chosen = count === 1 ? groups : [groups[index % groups.length]!];
    for (const missing of chosen) variants.push(decode(`missing${count}`, missing));
  }
  return variants;
}

/** All choices of `count` of the numbers 0..n - 1, each ascending. */
export function combinations(n: number, count: number, first = 0): number[][] {
  if (count === 0) return [[]];
  return Array.from({ length: Math.max(0, n - first) }, (_, i) => first + i).flatMap((chosen) =>
    combinations(n, count - 1, chosen + 1).map((rest) => [chosen, ...rest]),
  );
}
