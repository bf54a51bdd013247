import { describe, expect, test } from "vitest";
import { Arena, builds, type Platform, platforms, scalar } from "./platform.ts";
import { Random } from "./random.ts";
import { readVectors } from "./vectors.ts";

interface LayerNormArgs {
  readonly rows: number;
  readonly d: number;
  readonly eps: number;
  readonly qscale: number;
}

const GAP_BYTES = 10;

/** Rows of y are written in reverse order, with gaps between them. */
function run(platform: Platform, args: LayerNormArgs, x: Float32Array) {
  const arena = new Arena(platform.central);
  const rowBytes = args.d * 2 + GAP_BYTES;
  const input = arena.put(x);
  const offset = (row: number) => (args.rows - 1 - row) * rowBytes;
  const yOff = arena.put(Uint32Array.from({ length: args.rows }, (_, row) => offset(row)));
  const y = arena.alloc(args.rows * rowBytes);
  platform.central.layer_norm_s16(input, args.rows, args.d, args.eps, args.qscale, y, yOff);
  const codes: number[] = [];
  let touchedGaps = 0;
  for (let row = 0; row < args.rows; row++) {
    codes.push(...arena.i16(y + offset(row), args.d));
    for (const byte of arena.bytes(y + offset(row) + args.d * 2, GAP_BYTES)) {
      if (byte !== 0xa5) touchedGaps++;
    }
  }
  return { codes, touchedGaps, brokenGuards: arena.brokenGuards() };
}

describe.each(builds)("layer_norm_s16, $title: golden vectors", ({ platform, reason }) => {
  for (const { args, tensor } of readVectors<LayerNormArgs>("layer_norm_s16")) {
    test.skipIf(reason !== "")(args.name, () => {
      expect(run(platform!, args, tensor("x"))).toEqual({
        codes: [...tensor<Int16Array>("out")],
        touchedGaps: 0,
        brokenGuards: [],
      });
    });
  }
});

describe.each(platforms.slice(1))("layer_norm_s16, $name against scalar", (platform) => {
  test("widths, ranges and scales", () => {
    for (let seed = 300; seed < 340; seed++) {
      const random = new Random(seed);
      const rows = random.integer(1, 5);
      const d = 4 * random.integer(1, 33);
      const args = { rows, d, eps: 1e-5, qscale: random.integer(1, 4000) };
      const size = 10 ** random.integer(-6, 6);
      const x = random.float32(rows * d, -size, size);
      const actual = run(platform, args, x);
      expect(actual, `seed ${seed}`).toEqual(run(scalar, args, x));
      expect(actual).toMatchObject({ touchedGaps: 0, brokenGuards: [] });
    }
  });

  test("constant rows give zeros", () => {
    const x = new Float32Array(2 * 8).fill(1.5);
    const { codes } = run(platform, { rows: 2, d: 8, eps: 1e-5, qscale: 210 }, x);
    expect(codes).toEqual(new Array(16).fill(0));
  });
});
