/** Outputs in pairs against the plain convolution, which they must equal to the last bit. */
import { describe, expect, test } from "vitest";
import { OutKind, PAIRS_SCRATCH_BYTES } from "../../src/engine/kernels.ts";
import { Arena, builds, type Platform } from "./platform.ts";
import { Random } from "./random.ts";

interface Problem {
  readonly channels: number;
  readonly kernel: number;
  readonly stride: number;
  /** Outputs, a multiple of eight times the distance of a pair. */
  readonly count: number;
  readonly n: number;
  /** int16 [(count - 1) · stride + kernel][channels] */
  readonly x: Int16Array;
  /** int8 [n][kernel][channels] */
  readonly weight: Int8Array;
  readonly bias: Int32Array;
  readonly scale: Float32Array;
  readonly outKind: OutKind;
  readonly lo: number;
  readonly hi: number;
}

/** Gap between output rows, as those of a longer row have. */
const GAP_BYTES = 16;

function run({ edge }: Platform, problem: Problem) {
  const { channels, kernel, stride, count, n, outKind, lo, hi } = problem;
  const arena = new Arena(edge);
  const rowBytes = channels * 2;
  const half = (kernel - 1) / 2;
  const shift = half / stride;
  const b = arena.alloc(n * (3 * half + 2) * channels * 2);
  edge.pack_conv1d_pairs(arena.put(problem.weight), n, half * channels, channels, b);
  const first = Array.from({ length: count }, (_, t) => t).filter((t) => t % (2 * shift) < shift);
  const second = first.map((t) => t + shift);
  const bytes = outKind === OutKind.u7AsUint8 ? 1 : 2;
  const outRow = n * bytes + GAP_BYTES;
  const a = arena.put(problem.x);
  const aOff = arena.put(Uint32Array.from(first, (t) => t * stride * rowBytes));
  const cOff = arena.put(Uint32Array.from([...first, ...second], (t) => t * outRow));
  const [bias, scale] = [arena.put(problem.bias), arena.put(problem.scale)];
  const c = arena.alloc(count * outRow - GAP_BYTES);
  const scratch = arena.alloc(problem.x.byteLength + PAIRS_SCRATCH_BYTES);
  edge.conv1d_pairs_s16(
    ...([a, problem.x.byteLength, aOff, first.length, half * rowBytes, rowBytes] as const),
    ...([b, bias, scale, c, cOff, n, outKind, lo, hi, scratch] as const),
  );
  const values: number[] = [];
  let touchedGaps = 0;
  for (let t = 0; t < count; t++) {
    const row = c + t * outRow;
    values.push(...(bytes === 2 ? arena.i16(row, n) : arena.bytes(row, n)));
    if (t === count - 1) continue;
    for (const byte of arena.bytes(row + n * bytes, GAP_BYTES)) if (byte !== 0xa5) touchedGaps++;
  }
  return { values, touchedGaps, brokenGuards: arena.brokenGuards() };
}

function convolve(problem: Problem): number[] {
  const { channels, kernel, stride, count, n, x, weight, bias, scale } = problem;
  const values: number[] = [];
  for (let t = 0; t < count; t++) {
    for (let o = 0; o < n; o++) {
      let sum = bias[o]!;
      for (let k = 0; k < kernel * channels; k++) {
        sum += x[t * stride * channels + k]! * weight[o * kernel * channels + k]!;
      }
      const value = Math.fround(Math.fround(sum) * scale[o]!);
      const rounded = Math.fround(Math.fround(value + 12582912) - 12582912);
      values.push(Math.min(Math.max(rounded, problem.lo), problem.hi) + 0);
    }
  }
  return values;
}

function randomProblem(
  random: Random,
  shape: Pick<Problem, "channels" | "kernel" | "stride" | "count" | "n">,
  outKind: OutKind,
): Problem {
  const { channels, kernel, stride, count, n } = shape;
  const isS16 = outKind === OutKind.s16;
  return {
    ...shape,
    x: random.int16(((count - 1) * stride + kernel) * channels, -16383, 16383),
    weight: random.int8(n * kernel * channels, -127, 127),
    bias: random.int32(n, -100000, 100000),
    scale: new Float32Array(n).fill((isS16 ? 2000 : 127) / (16383 * 127 * kernel * 2)),
    ...{ outKind, lo: isS16 ? -2047 : 0, hi: isS16 ? 2047 : 127 },
  };
}

describe.each(builds)("conv1d_pairs_s16, $title", ({ platform, reason }) => {
  test.skipIf(reason !== "")("kernels, strides, channels, panels and output kinds", () => {
    const random = new Random(51);
    for (const [kernel, stride] of [
      [3, 1],
      [5, 1],
      [5, 2],
      [9, 2],
      [9, 4],
    ] as const) {
      for (const channels of [2, 6, 14]) {
        for (const [count, n] of [
          [32, 8],
          [64, 24],
        ] as const) {
          for (const outKind of [OutKind.s16, OutKind.u7AsInt16, OutKind.u7AsUint8]) {
            const problem = randomProblem(random, { channels, kernel, stride, count, n }, outKind);
            const label = `seed 51, kernel ${kernel}/${stride}, ${count}x${channels} to ${n}, ${outKind}`;
            expect(run(platform!, problem), label).toEqual({
              values: convolve(problem),
              touchedGaps: 0,
              brokenGuards: [],
            });
          }
        }
      }
    }
  });

  test.skipIf(reason !== "")("differences and sums of weights at the ends of int16", () => {
    const shape = { channels: 14, kernel: 9, stride: 2, count: 32, n: 8 };
    const base = randomProblem(new Random(52), shape, OutKind.s16);
    const scale = base.scale.map(() => 2000 / (16383 * 127 * 9 * 14)); // no code is clamped
    for (const period of [1, 2, 4, 8]) {
      // Rows of opposite signs, so many apart: the differences are 32766 and -32766.
      const x = base.x.map((_, i) =>
        Math.floor(i / shape.channels / period) % 2 === 0 ? 16383 : -16383,
      );
      for (const weight of [-127, 127]) {
        const problem = { ...base, x, scale, weight: base.weight.map(() => weight) };
        expect(run(platform!, problem).values, `period ${period}`).toEqual(convolve(problem));
      }
    }
  });
});
