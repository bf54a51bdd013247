/** The one-channel convolutions against sums in JavaScript, and one type against the other. */
import { describe, expect, test } from "vitest";
import { Arena, builds, type Platform } from "./platform.ts";
import { Random } from "./random.ts";

interface Problem {
  readonly rows: number;
  readonly segments: number;
  /** Values of a segment that count, and those up to which it is filled with zero weights. */
  readonly values: number;
  readonly padded: number;
  /** Values from a row to the next: rows overlap. */
  readonly stride: number;
  /** 0..127, [rows · stride + ...]; the segments of a row are `segStride` values apart */
  readonly a: readonly number[];
  readonly segStride: number;
  /** [segments][values] */
  readonly w: readonly number[];
  readonly bias: number;
  readonly scale: number;
  readonly lo: number;
  readonly hi: number;
}

const KERNELS = [
  { kernel: "conv_velocity_s16", bytes: 2 },
  { kernel: "conv_velocity_u7", bytes: 1 },
] as const;

function run(platform: Platform, { kernel, bytes }: (typeof KERNELS)[number], problem: Problem) {
  const { rows, segments, values, padded, stride, segStride } = problem;
  const arena = new Arena(platform.central);
  const type = bytes === 1 ? Uint8Array : Int16Array;
  const weights = new Int8Array(segments * padded);
  for (let s = 0; s < segments; s++) {
    weights.set(problem.w.slice(s * values, (s + 1) * values), s * padded);
  }
  const a = arena.put(type.from(problem.a));
  const aOff = arena.put(Uint32Array.from({ length: rows }, (_, row) => row * stride * bytes));
  const w = arena.put(bytes === 1 ? weights : Int16Array.from(weights));
  const y = arena.alloc(rows * 4);
  platform.central[kernel](
    ...([a, aOff, rows, segments, segStride * bytes, padded * bytes, w] as const),
    ...([problem.bias, problem.scale, problem.lo, problem.hi, y] as const),
  );
  return { map: [...arena.f32(y, rows)], brokenGuards: arena.brokenGuards() };
}

function expected(problem: Problem): number[] {
  const { rows, segments, values, stride, segStride, a, w, bias, lo, hi } = problem;
  return Array.from({ length: rows }, (_, row) => {
    let sum = bias;
    for (let s = 0; s < segments; s++) {
      for (let k = 0; k < values; k++) {
        sum += a[row * stride + s * segStride + k]! * w[s * values + k]!;
      }
    }
    const value = Math.fround(Math.fround(sum) * Math.fround(problem.scale));
    return Math.min(Math.max(value, Math.fround(lo)), Math.fround(hi));
  });
}

function randomProblem(random: Random, rows: number, segments: number, values: number): Problem {
  const padded = Math.ceil(values / 16) * 16;
  const stride = 16;
  const segStride = rows * stride + padded;
  const length = segments * segStride;
  return {
    ...{ rows, segments, values, padded, stride, segStride, bias: random.integer(-9999, 9999) },
    a: Array.from({ length }, () => random.integer(0, 127)),
    w: Array.from({ length: segments * values }, () => random.integer(-127, 127)),
    ...{ scale: 0.013, lo: -150, hi: 450 },
  };
}

describe.each(builds)("$title", ({ platform, reason }) => {
  describe.each(KERNELS)("$kernel", (form) => {
    test.skipIf(reason !== "")("rows, segments, and lengths that a vector does not divide", () => {
      const random = new Random(43);
      for (const rows of [4, 8, 20]) {
        for (const segments of [1, 2, 3]) {
          for (const values of [3, 16, 24, 32, 48, 144]) {
            const problem = randomProblem(random, rows, segments, values);
            const label = `seed 43, ${rows} rows of ${segments} x ${values}`;
            const map = expected(problem);
            expect(run(platform!, form, problem), label).toEqual({ map, brokenGuards: [] });
          }
        }
      }
    });

    test.skipIf(reason !== "")("extreme products, clamped at both ends", () => {
      const random = new Random(44);
      for (const weight of [-127, 127]) {
        const base = randomProblem(random, 8, 3, 48);
        const [a, w] = [base.a.map(() => 127), base.w.map(() => weight)];
        for (const limits of [
          { lo: -4e6, hi: 4e6 },
          { lo: -10, hi: 10 },
        ]) {
          const problem = { ...base, a, w, ...limits };
          const { map } = run(platform!, form, problem);
          expect(map, `weights ${weight}`).toEqual(expected(problem));
        }
      }
    });
  });
});
