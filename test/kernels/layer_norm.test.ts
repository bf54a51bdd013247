import { describe, expect, test } from "vitest";
import { OutKind } from "../../src/engine/kernels.ts";
import { Arena, builds, type Platform, platforms, scalar } from "./platform.ts";
import { Random } from "./random.ts";
import { readVectors } from "./vectors.ts";

interface LayerNormArgs {
  readonly rows: number;
  readonly d: number;
  readonly eps: number;
  readonly lo: number;
  readonly hi: number;
}

interface Tensors {
  readonly x: Float32Array;
  readonly scale: Float32Array;
  readonly zero: Int32Array;
}

const GAP_BYTES = 10;
const KINDS = [OutKind.s16, OutKind.u7AsInt16, OutKind.u7AsUint8] as const;

/** Rows of y are written in reverse order, with gaps between them. */
function run(platform: Platform, args: LayerNormArgs, kind: OutKind, tensors: Tensors) {
  const { rows, d, eps, lo, hi } = args;
  const arena = new Arena(platform.central);
  const codeBytes = d * (kind === OutKind.u7AsUint8 ? 1 : 2);
  const rowBytes = codeBytes + GAP_BYTES;
  const [x, scale, zero] = [tensors.x, tensors.scale, tensors.zero].map((t) => arena.put(t)) as [
    number,
    number,
    number,
  ];
  const offset = (row: number) => (rows - 1 - row) * rowBytes;
  const yOff = arena.put(Uint32Array.from({ length: rows }, (_, row) => offset(row)));
  const y = arena.alloc(rows * rowBytes);
  platform.central.layer_norm(x, rows, d, eps, scale, zero, kind, lo, hi, y, yOff);
  const codes: number[] = [];
  let touchedGaps = 0;
  for (let row = 0; row < rows; row++) {
    const isByte = kind === OutKind.u7AsUint8;
    codes.push(...(isByte ? arena.bytes(y + offset(row), d) : arena.i16(y + offset(row), d)));
    for (const byte of arena.bytes(y + offset(row) + codeBytes, GAP_BYTES)) {
      if (byte !== 0xa5) touchedGaps++;
    }
  }
  return { codes, touchedGaps, brokenGuards: arena.brokenGuards() };
}

describe.each(builds)("layer_norm, $title: golden vectors", ({ platform, reason }) => {
  type Golden = LayerNormArgs & { readonly outKind: "s16" | "u7" };
  for (const { args, tensor } of readVectors<Golden>("layer_norm")) {
    const tensors = { x: tensor("x"), scale: tensor("scale"), zero: tensor("zero") } as Tensors;
    const kinds = args.outKind === "s16" ? KINDS.slice(0, 1) : KINDS.slice(1);
    test.skipIf(reason !== "").each(kinds)(`${args.name}, stored as %d`, (kind) => {
      expect(run(platform!, args, kind, tensors)).toEqual({
        codes: [...tensor<Int16Array>("out")],
        touchedGaps: 0,
        brokenGuards: [],
      });
    });
  }
});

describe.each(platforms.slice(1))("layer_norm, $name against scalar", (platform) => {
  test("widths, ranges, scales and zeros", () => {
    for (let seed = 300; seed < 360; seed++) {
      const random = new Random(seed);
      const [rows, d] = [random.integer(1, 9), 4 * random.integer(1, 33)];
      const kind = KINDS[seed % KINDS.length]!;
      const [lo, hi] = kind === OutKind.s16 ? [-2047, 2047] : [0, 127];
      const args = { rows, d, eps: 1e-5, lo, hi };
      const size = 10 ** random.integer(-6, 6);
      const tensors = {
        x: random.float32(rows * d, -size, size),
        scale: random.float32(d, 0, 10 ** random.integer(0, 4)),
        zero: random.int32(d, lo, hi),
      };
      const actual = run(platform, args, kind, tensors);
      expect(actual, `seed ${seed}`).toEqual(run(scalar, args, kind, tensors));
      expect(actual).toMatchObject({ touchedGaps: 0, brokenGuards: [] });
    }
  });

  test("constant rows give the zeros", () => {
    const x = new Float32Array(2 * 8).fill(1.5);
    const zero = Int32Array.from({ length: 8 }, (_, i) => 16 * i);
    const args = { rows: 2, d: 8, eps: 1e-5, lo: 0, hi: 127 };
    const tensors = { x, scale: new Float32Array(8).fill(20), zero };
    const { codes } = run(platform, args, OutKind.u7AsUint8, tensors);
    expect(codes).toEqual([...zero, ...zero]);
  });

  test("scales beyond all codes saturate, whatever the zero", () => {
    const x = Float32Array.from([1, -1, 1, -1, 1, -1, 1, -1]);
    const args = { rows: 1, d: 8, eps: 1e-5, lo: 0, hi: 127 };
    const zero = Int32Array.of(0, 127, 127, 0, 64, 64, 1, 126);
    const tensors = { x, scale: new Float32Array(8).fill(3e38), zero };
    const { codes } = run(platform, args, OutKind.u7AsInt16, tensors);
    expect(codes).toEqual([127, 0, 127, 0, 127, 0, 127, 0]);
  });
});
