import { describe, expect, test } from "vitest";
import { OutKind, packedWeightBytes, packWeightsU7, SUM4_MAX } from "../../src/engine/kernels.ts";
import { type IgemmProblem, type Result, runIgemm } from "./igemm.ts";
import { Arena, builds, type Platform, platforms, scalar } from "./platform.ts";
import { Random } from "./random.ts";

const RESULTS: readonly Result[] = ["s16", "u7", "s8", "f32"];

describe.each(builds)("largest_sum4, $title", ({ platform, reason }) => {
  test.skipIf(reason !== "")("finds the largest sum, wherever it is and of either sign", () => {
    const random = new Random(71);
    for (const [n, k] of [
      [8, 8],
      [16, 24],
      [24, 128],
    ] as const) {
      const weight = random.int8(n * k, -20, 20);
      for (const sign of [1, -1]) {
        for (let trial = 0; trial < 20; trial++) {
          const [channel, first] = [random.integer(0, n - 1), 8 * random.integer(0, k / 8 - 1)];
          const altered = weight.slice();
          const lanes = random.integer(0, 1) * 2 + channel * k + first;
          for (const i of [0, 1, 4, 5]) altered[lanes + i] = sign * random.integer(80, 127);
          const wanted = largestSum4(altered, n, k);
          expect(run(platform!, altered, n, k), `seed 71, ${n}x${k}`).toBe(wanted);
          expect(wanted).toBeGreaterThan(300);
        }
      }
    }
  });

  test.skipIf(reason !== "")("does not let signs cancel, nor lanes mix", () => {
    const [n, k] = [8, 8];
    const weight = new Int8Array(n * k);
    weight.set([127, -127, 1, 2, 127, -127, 3, 4]);
    expect(run(platform!, weight, n, k)).toBe(254);
    weight.set([0, 0, 1, 2, 0, 0, 3, 4]);
    expect(run(platform!, weight, n, k)).toBe(10);
    expect(run(platform!, weight.fill(127), n, k)).toBe(508);
    expect(run(platform!, weight.fill(-127), n, k)).toBe(508);
  });
});

function run({ central }: Platform, weight: Int8Array, n: number, k: number): number {
  const arena = new Arena(central);
  const b = arena.put(packWeightsU7(weight, n, k));
  return central.largest_sum4!(b, packedWeightBytes("u7", n, k, 1));
}

/** By its definition, over weights in natural order. */
function largestSum4(weight: Int8Array, n: number, k: number): number {
  let largest = 0;
  for (let channel = 0; channel < n; channel++) {
    for (let first = 0; first < k; first += 8) {
      for (const h of [0, 2]) {
        const four = [0, 1, 4, 5].map((i) => weight[channel * k + first + h + i]!);
        const sum = (sign: number) => four.reduce((s, w) => s + Math.max(sign * w, 0), 0);
        largest = Math.max(largest, sum(1), sum(-1));
      }
    }
  }
  return largest;
}

describe.each(platforms)("igemm_u7_sum4, $name against igemm_u7 in scalar", (platform) => {
  const agree = (problem: IgemmProblem, label: string, kind?: OutKind) => {
    const expected = runIgemm(scalar.central, "u7", problem, kind);
    const actual = runIgemm(platform.central, "u7", problem, kind, "igemm_u7_sum4");
    expect(actual, label).toEqual(expected);
    expect(actual, label).toMatchObject({ touchedGaps: 0, brokenGuards: [] });
  };

  test("random layers", () => {
    for (let seed = 200; seed < 260; seed++) {
      const random = new Random(seed);
      const result = RESULTS[seed % RESULTS.length]!;
      const segments = random.integer(1, 3);
      const problem = smallProblem(random, segments, 8 * random.integer(1, 17), result);
      agree(problem, `seed ${seed}`);
      agree({ ...problem, misalignment: seed % 8 }, `seed ${seed}, misaligned`);
      if (result === "u7") agree(problem, `seed ${seed}, int16`, OutKind.u7AsInt16);
    }
  });

  test("sums at their limit, activations at theirs", () => {
    const [n, k] = [16, 256];
    for (const signs of [() => 1, () => -1, (i: number) => (i % 2 === 0 ? 1 : -1)]) {
      // 64 + 65 + 64 + 65 = 258; where signs alternate, 127 + 127 of each.
      const size = (i: number) => (signs(0) === signs(1) ? 64 + (i % 2) : 127);
      const weight = Int8Array.from({ length: n * k }, (_, i) => signs(i) * size(i));
      expect(run(platform, weight, n, k)).toBeLessThanOrEqual(SUM4_MAX);
      for (const activation of [127, 0]) {
        const a = Int16Array.from({ length: 4 * k }, (_, i) =>
          activation === 127 || i % 2 === 0 ? 127 : 0,
        );
        const problem: IgemmProblem = {
          ...{ a, aOff: [0, k, 2 * k, 3 * k], segments: 1, segStride: 0, segValues: k },
          ...{ weight, n, bias: new Int32Array(n).fill(1e6), scale: new Float32Array(n).fill(1) },
          result: "f32",
        };
        agree(problem, `${signs} ${activation}`);
      }
    }
  });
});

/** Any rows, channels and offsets; weights in quarters of the largest sum. */
function smallProblem(
  random: Random,
  segments: number,
  segValues: number,
  result: Result,
): IgemmProblem {
  const [rows, n] = [random.integer(1, 40), random.integer(1, 40)];
  const k = segments * segValues;
  const segStride = segValues + random.integer(0, 9);
  return {
    a: random.int16(segStride * segments + 40, 0, 127),
    aOff: Array.from({ length: rows }, () => random.integer(0, 39)),
    ...{ segments, segStride, segValues, n, result },
    weight: random.int8(n * k, -(SUM4_MAX >> 2), SUM4_MAX >> 2),
    bias: random.int32(n, -100000, 100000),
    scale: random.float32(n, 0, 2000 / (127 * 64 * Math.sqrt(k))),
  };
}
