/** Transformed weights: every build against the scalar twin, and that against G w Gᵀ. */
import { describe, expect, test } from "vitest";
import type { CentralExports } from "../../src/engine/kernels.ts";
import {
  WINOGRAD_2X2,
  WINOGRAD_3X3,
  type WinogradForm,
  winogradWeightBytes,
} from "../../src/engine/winograd.ts";
import { Arena, builds, scalar } from "./platform.ts";
import { Random } from "./random.ts";

/** The rows that assembly/kernels/pack_winograd.ts names: 24 G with its last row halved, and 2 G. */
const ROWS = {
  3: [
    [6, 0, 0],
    [-4, -4, -4],
    [-4, 4, -4],
    [1, 2, 4],
    [1, -2, 4],
    [0, 0, 12],
  ],
  2: [
    [-2, 0],
    [1, 1],
    [1, -1],
    [0, 2],
  ],
} as const;

describe.each(builds)("pack_winograd, $title", ({ platform, reason }) => {
  describe.each([WINOGRAD_3X3, WINOGRAD_2X2])("$kernel", (form) => {
    const { taps } = form;

    test.skipIf(reason !== "")("gives the twin's bytes, whatever the shape", () => {
      const random = new Random(42);
      for (const channels of [8, 16, 24]) {
        for (const n of [8, 16]) {
          const weight = random.int8(n * taps * taps * channels, -127, 127);
          const label = `seed 42, ${channels} to ${n}`;
          const wanted = pack(scalar.central, form, weight, n, channels);
          expect(pack(platform!.central, form, weight, n, channels), label).toEqual(wanted);
          expect(wanted.brokenGuards, label).toEqual([]);
        }
      }
    });

    test.skipIf(reason !== "")("gives G w Gᵀ at the ends of the range", () => {
      const [n, channels] = [8, 8];
      const weight = Int8Array.from({ length: n * taps * taps * channels }, (_, i) =>
        (i * 7) % 5 < 2 ? -127 : 127,
      );
      const { values } = pack(platform!.central, form, weight, n, channels);
      expect(values).toEqual(transformed(taps as 2 | 3, weight, n, channels));
    });
  });
});

function pack(
  exports: CentralExports,
  form: WinogradForm,
  weight: Int8Array,
  n: number,
  channels: number,
) {
  const arena = new Arena(exports);
  const bytes = winogradWeightBytes(form, n, channels);
  const w = arena.put(weight);
  const b = arena.alloc(bytes);
  exports.pack_winograd(w, form.taps, n, channels, b);
  return { values: [...arena.i16(b, bytes / 2)], brokenGuards: arena.brokenGuards() };
}

/** [positions][n/8][channels/2][8][2], by the definition. */
function transformed(taps: 2 | 3, weight: Int8Array, n: number, channels: number): number[] {
  const rows: readonly (readonly number[])[] = ROWS[taps];
  const out = new Array<number>(rows.length ** 2 * n * channels);
  rows.forEach((down, p) => {
    rows.forEach((across, q) => {
      for (let o = 0; o < n; o++) {
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (let i = 0; i < taps * taps; i++) {
            const w = weight[(o * taps * taps + i) * channels + c]!;
            sum += down[Math.floor(i / taps)]! * across[i % taps]! * w;
          }
          const pair = ((o >> 3) * channels) / 2 + (c >> 1);
          out[(p * rows.length + q) * n * channels + (pair * 8 + (o & 7)) * 2 + (c & 1)] = sum;
        }
      }
    });
  });
  return out;
}
