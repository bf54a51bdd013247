import { seededIntegers } from "../../src/engine/seeded.ts";
import { CLASSES, type LatentTables, SYMBOLS } from "../../src/protocol/index.ts";

/** Seeded tables of that latent shape: rows with a peak somewhere, contexts at random. */
export function randomTables(
  slots: number,
  channels: number,
  seed: number,
  rows = 6,
): LatentTables {
  const random = seededIntegers(seed);
  const frequencies = new Uint16Array(rows * SYMBOLS);
  for (let row = 0; row < rows; row++) {
    const own = frequencies.subarray(row * SYMBOLS, (row + 1) * SYMBOLS);
    for (let symbol = 0; symbol < SYMBOLS; symbol++) own[symbol] = random(1, 200);
    own[random(0, SYMBOLS - 1)]! += 4096 - own.reduce((sum, frequency) => sum + frequency, 0);
  }
  const contexts = Uint8Array.from({ length: slots * channels * CLASSES }, () =>
    random(0, rows - 1),
  );
  return { slots, channels, frequencies, contexts };
}
