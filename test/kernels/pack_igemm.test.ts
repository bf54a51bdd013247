/** What the modules pack against what TypeScript packs, byte by byte. */
import { describe, expect, test } from "vitest";
import { packedWeightBytes, packWeightsS16, packWeightsU7 } from "../../src/engine/kernels.ts";
import { Arena, builds, type Platform } from "./platform.ts";
import { Random } from "./random.ts";

const PACK = { s16: packWeightsS16, u7: packWeightsU7 };
/** Around every vector, group and panel. */
const VALUES = [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 350];
const CHANNELS = [1, 7, 8, 9, 16];
const SEGMENTS = [1, 2, 3];

describe.each(builds)("$title", ({ platform, reason }) => {
  describe.each(["s16", "u7"] as const)("pack_igemm_%s", (input) => {
    test.skipIf(reason !== "")("packs as TypeScript does, whatever the shape", () => {
      const random = new Random(41);
      for (const side of ["edge", "central"] as const) {
        for (const values of VALUES) {
          for (const n of CHANNELS) {
            for (const segments of SEGMENTS) {
              const weight = random.int8(n * segments * values, -127, 127);
              check(platform!, side, input, weight, n, segments);
            }
          }
        }
      }
    });

    test.skipIf(reason !== "")("keeps the ends of the range, and starts anywhere", () => {
      const ends = Int8Array.from({ length: 8 * 40 }, (_, i) => (i % 3 === 0 ? 127 : -127));
      for (const misalignment of [0, 1, 7, 13]) {
        check(platform!, "edge", input, ends, 8, 1, misalignment);
      }
    });
  });
});

function check(
  platform: Platform,
  side: "edge" | "central",
  input: "s16" | "u7",
  weight: Int8Array,
  n: number,
  segments: number,
  misalignment = 0,
): void {
  const k = weight.length / n;
  const exports = platform[side];
  const arena = new Arena(exports);
  const w = arena.put(weight, misalignment);
  const bytes = packedWeightBytes(input, n, k, segments);
  const b = arena.put(new Uint8Array(bytes));
  exports[`pack_igemm_${input}`](w, n, segments, k / segments, b);
  const wanted = PACK[input](weight, n, k, segments);
  const label = `seed 41, ${n} channels, ${segments} segments of ${k / segments}, from +${misalignment}`;
  expect(Buffer.compare(arena.bytes(b, bytes), new Uint8Array(wanted.buffer)), label).toBe(0);
  expect(wanted.byteLength, label).toBe(bytes);
  expect(arena.brokenGuards(), label).toEqual([]);
}
