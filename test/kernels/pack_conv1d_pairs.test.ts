/** Weights for pairs of outputs, against their definition, byte by byte. */
import { describe, expect, test } from "vitest";
import { Arena, builds, type Platform } from "./platform.ts";
import { Random } from "./random.ts";

/** Around a vector of eight. */
const COUNTS = [2, 4, 6, 8, 10, 14, 16, 18, 22];

describe.each(builds)("pack_conv1d_pairs, $title", ({ platform, reason }) => {
  test.skipIf(reason !== "")("halves and rests of any even length, from any address", () => {
    const random = new Random(61);
    for (const half of COUNTS) {
      for (const rest of COUNTS) {
        for (const n of [8, 24]) {
          const weight = random.int8(n * (2 * half + rest), -127, 127);
          check(platform!, weight, n, half, rest, random.integer(0, 15));
        }
      }
    }
  });

  test.skipIf(reason !== "")("the ends of the range", () => {
    for (const value of [127, -127]) {
      check(platform!, new Int8Array(8 * 3 * 16).fill(value), 8, 16, 16, 0);
    }
  });
});

function check(
  { edge }: Platform,
  weight: Int8Array,
  n: number,
  half: number,
  rest: number,
  misalignment: number,
): void {
  const arena = new Arena(edge);
  const w = arena.put(weight, misalignment);
  const values = n * (3 * half + 2 * rest);
  const b = arena.alloc(values * 2);
  edge.pack_conv1d_pairs(w, n, half, rest, b);
  const label = `${n} channels, halves of ${half}, ${rest} between, from +${misalignment}`;
  expect([...arena.i16(b, values)], label).toEqual(packed(weight, n, half, rest));
  expect(arena.brokenGuards(), label).toEqual([]);
}

/** By docs/abi.md: five runs a channel, pairs of values interleaved over the eight channels of a panel. */
function packed(weight: Int8Array, n: number, half: number, rest: number): number[] {
  const k = 2 * half + rest;
  const length = 3 * half + 2 * rest;
  const result = new Array<number>(n * length);
  for (let channel = 0; channel < n; channel++) {
    const taps = [...weight.subarray(channel * k, (channel + 1) * k)];
    const [first, second, last] = [
      taps.slice(0, half),
      taps.slice(half, 2 * half),
      taps.slice(2 * half),
    ];
    const sums = first.map((value, i) => value + second[i]!);
    const runs = [sums, first, last, second.map((value) => -value), last].flat();
    runs.forEach((value, i) => {
      const panel = Math.floor(channel / 8) * 8 * length;
      result[panel + (i >> 1) * 16 + (channel % 8) * 2 + (i % 2)] = value;
    });
  }
  return result.map((value) => value + 0); // a negative zero is a zero in memory
}
