/** Winograd's filtering against the plain convolution, which it must equal to the last bit. */
import { describe, expect, test } from "vitest";
import { type CentralExports, OutKind, type Tiles } from "../../src/engine/kernels.ts";
import {
  WINOGRAD_2X2,
  WINOGRAD_3X3,
  type WinogradForm,
  winogradScratchBytes,
  winogradWeightBytes,
} from "../../src/engine/winograd.ts";
import { Arena, builds } from "./platform.ts";
import { Random } from "./random.ts";

interface Problem {
  /** int16 [height + taps - 1][width + taps - 1][channels]: the image with what is around it. */
  readonly image: Int16Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly n: number;
  /** int8 [n][taps][taps][channels] */
  readonly weight: Int8Array;
  readonly bias: Int32Array;
  readonly scale: Float32Array;
  readonly outKind: OutKind;
  readonly lo: number;
  readonly hi: number;
}

const FORMS = [WINOGRAD_3X3, WINOGRAD_2X2].flatMap((form) =>
  (["", "_4x16"] as const).map((tiles) => ({ form, name: `${form.kernel}${tiles}` as const })),
);

describe.each(builds)("$title", ({ platform, reason }) => {
  describe.each(FORMS)("$name", ({ form, name }) => {
    const { taps, tileOut, inputMax } = form;
    const check = (problem: Problem, label: string) => {
      expect(run(platform!.central, form, name, problem), label).toEqual({
        values: convolve(taps, problem),
        brokenGuards: [],
      });
    };

    test.skipIf(reason !== "")("sizes around every tile, block and panel", () => {
      const random = new Random(31);
      for (const [height, width] of [
        [tileOut, tileOut],
        [tileOut + 1, tileOut],
        [tileOut, 3 * tileOut],
        [2 * tileOut, 2 * tileOut + 1],
        [5 * tileOut, tileOut],
        [3 * tileOut, 3 * tileOut],
        [6 * tileOut - 1, 5 * tileOut],
        [6 * tileOut, 7 * tileOut],
      ] as const) {
        for (const [channels, n] of [
          [8, 8],
          [16, 8],
          [24, 16],
          [8, 24],
        ] as const) {
          const problem = randomProblem(random, form, height, width, channels, n);
          check(problem, `seed 31, ${height}x${width}x${channels} to ${n}`);
        }
      }
    });

    test.skipIf(reason !== "")("every output kind", () => {
      const random = new Random(32);
      const problem = randomProblem(random, form, 2 * tileOut, 2 * tileOut, 16, 8);
      check({ ...problem, outKind: OutKind.u7AsUint8, lo: 0, hi: 127 }, "seed 32, uint8");
      check({ ...problem, outKind: OutKind.u7AsInt16, lo: 0, hi: 127 }, "seed 32, u7 as int16");
    });

    test.skipIf(reason !== "")("extremes, where intermediate sums wrap", () => {
      const random = new Random(33);
      const ends = (lo: number, hi: number) => () => (random.integer(0, 1) === 0 ? lo : hi);
      const low = taps === 3 ? 0 : -inputMax;
      const [height, width, channels, n] = [tileOut, tileOut, 224, 8];
      const room = form.sumMax - taps * taps * channels * inputMax * 127;
      const base = randomProblem(random, form, height, width, channels, n);
      const values: [string, () => number, () => number][] = [
        ["all positive", () => inputMax, () => 127],
        ["all negative", () => inputMax, () => -127],
        ["random ends", ends(low, inputMax), ends(-127, 127)],
      ];
      for (const [label, activation, weight] of values) {
        const image = base.image.map(activation);
        for (const bias of [base.bias, base.bias.map((_, i) => (i % 2 ? room : -room))]) {
          check({ ...base, image, weight: base.weight.map(weight), bias }, label);
        }
      }
      // Signs as in the rows of the transforms drive V and U to their ends.
      const columns = width + taps - 1;
      const pixel = (i: number) => Math.floor(i / channels);
      const checker = base.image.map((_, i) => {
        const even = (Math.floor(pixel(i) / columns) + (pixel(i) % columns)) % 2 === 0;
        return even ? inputMax : low;
      });
      const signs = base.weight.map((_, i) => (Math.floor(i / channels) % 2 === 0 ? 127 : -127));
      check({ ...base, image: checker, weight: signs }, "chequered");
    });
  });
});

/** Runs the kernel over tiles that cover the image, the last ones of a row or column overlapping. */
function run(
  exports: CentralExports,
  form: WinogradForm,
  kernel: `${WinogradForm["kernel"]}${Tiles}`,
  problem: Problem,
) {
  const { height, width, channels, n, outKind, lo, hi } = problem;
  const arena = new Arena(exports);
  const starts = (length: number) =>
    Array.from({ length: Math.ceil(length / form.tileOut) }, (_, i) =>
      Math.min(i * form.tileOut, length - form.tileOut),
    );
  const corners = starts(height).flatMap((y) => starts(width).map((x) => [y, x] as const));
  const aRow = (width + form.taps - 1) * channels * 2;
  const bytes = outKind === OutKind.u7AsUint8 ? 1 : 2;
  const [cPixel, cRow] = [n * bytes, width * n * bytes];
  const a = arena.put(problem.image);
  const from = corners.map(([y, x]) => y * aRow + x * channels * 2);
  const to = corners.map(([y, x]) => y * cRow + x * cPixel);
  const [aOff, cOff] = [arena.put(Uint32Array.from(from)), arena.put(Uint32Array.from(to))];
  const b = arena.alloc(winogradWeightBytes(form, n, channels));
  exports.pack_winograd(arena.put(problem.weight), form.taps, n, channels, b);
  const [bias, scale] = [arena.put(problem.bias), arena.put(problem.scale)];
  const c = arena.alloc(height * cRow);
  const scratch = arena.alloc(winogradScratchBytes(form, corners.length, channels, n));
  exports[kernel](
    ...([a, aOff, corners.length, aRow, channels, b, bias, scale] as const),
    ...([c, cOff, cRow, cPixel, n, outKind, lo, hi, scratch] as const),
  );
  const result = arena.bytes(c, height * cRow);
  const values = bytes === 1 ? [...result] : [...new Int16Array(result.buffer)];
  return { values, brokenGuards: arena.brokenGuards() };
}

/** The plain sum, in exact arithmetic. */
function convolve(taps: number, problem: Problem): number[] {
  const { image, height, width, channels, n, weight, bias, scale, lo, hi } = problem;
  const columns = width + taps - 1;
  const values: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let o = 0; o < n; o++) {
        let sum = bias[o]!;
        for (let i = 0; i < taps; i++) {
          const row = ((y + i) * columns + x) * channels;
          const tap = (o * taps + i) * taps * channels;
          for (let k = 0; k < taps * channels; k++) sum += image[row + k]! * weight[tap + k]!;
        }
        const scaled = Math.fround(Math.fround(sum) * scale[o]!);
        const rounded = Math.fround(scaled + 12582912) - 12582912;
        values.push(Math.min(Math.max(rounded, lo), hi));
      }
    }
  }
  return values;
}

function randomProblem(
  random: Random,
  { taps, inputMax }: WinogradForm,
  height: number,
  width: number,
  channels: number,
  n: number,
): Problem {
  const pixels = (height + taps - 1) * (width + taps - 1);
  const spread = inputMax * 127 * taps * Math.sqrt(channels);
  return {
    image: random.int16(pixels * channels, taps === 3 ? 0 : -inputMax, inputMax),
    height,
    width,
    channels,
    n,
    weight: random.int8(n * taps * taps * channels, -127, 127),
    bias: random.int32(n, -100000, 100000),
    scale: random.float32(n, 100 / spread, 2000 / spread),
    outKind: OutKind.s16,
    lo: -2047,
    hi: 2047,
  };
}
