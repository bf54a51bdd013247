import { describe, expect, test } from "vitest";
import { attentionScratchBytes, OutKind } from "../../src/engine/kernels.ts";
import { Arena, builds, type Platform, platforms, scalar } from "./platform.ts";
import { Random } from "./random.ts";
import { readVectors } from "./vectors.ts";

interface AttentionArgs {
  readonly tq: number;
  readonly tk: number;
  readonly heads: number;
  readonly headDim: number;
  readonly scoreScale: number;
}

/** How outputs become codes, channel by channel. */
interface Codes {
  readonly scale: Float32Array;
  readonly zero: Int32Array;
  readonly kind: OutKind;
  readonly lo: number;
  readonly hi: number;
}

const BOUNDS = [
  { kind: OutKind.s16, lo: -2047, hi: 2047 },
  { kind: OutKind.u7AsInt16, lo: 0, hi: 127 },
  { kind: OutKind.u7AsUint8, lo: 0, hi: 127 },
] as const;

interface Tensors {
  readonly q: Int16Array;
  readonly k: Int16Array;
  readonly v: Int16Array;
}

/** Keys and values lie in one matrix with rows of 2·d, as the kv projection leaves them. */
function run(platform: Platform, args: AttentionArgs, codes: Codes, { q, k, v }: Tensors) {
  const { tq, tk, heads, headDim } = args;
  const arena = new Arena(platform.central);
  const d = heads * headDim;
  const kv = new Int16Array(tk * 2 * d);
  for (let row = 0; row < tk; row++) {
    kv.set(k.subarray(row * d, (row + 1) * d), row * 2 * d);
    kv.set(v.subarray(row * d, (row + 1) * d), row * 2 * d + d);
  }
  const queries = arena.put(q);
  const keys = arena.put(kv);
  const scratch = arena.alloc(attentionScratchBytes(tk, headDim));
  const bytes = codes.kind === OutKind.u7AsUint8 ? 1 : 2;
  const y = arena.alloc(tq * d * bytes);
  const [scale, zero] = [arena.put(codes.scale), arena.put(codes.zero)];
  platform.central.attention_s16(
    ...([queries, d * 2, keys, d * 4, keys + d * 2, d * 4, tq, tk, heads, headDim] as const),
    ...([args.scoreScale, scale, zero, codes.kind, codes.lo, codes.hi] as const),
    ...([scratch, y, d * bytes] as const),
  );
  const out = bytes === 1 ? arena.bytes(y, tq * d) : arena.i16(y, tq * d);
  return { codes: [...out], brokenGuards: arena.brokenGuards() };
}

/** One scale for all channels. */
function uniform(
  args: AttentionArgs,
  scale: number,
  bounds = BOUNDS[0] as (typeof BOUNDS)[number],
) {
  const d = args.heads * args.headDim;
  return { ...bounds, scale: new Float32Array(d).fill(scale), zero: new Int32Array(d) };
}

describe.each(builds)("attention_s16, $title: golden vectors", ({ platform, reason }) => {
  type Golden = AttentionArgs & { readonly outKind: "s16" | "u7" };
  for (const { args, tensor } of readVectors<Golden>("attention_s16")) {
    const codes = { scale: tensor<Float32Array>("scale"), zero: tensor<Int32Array>("zero") };
    const bounds = args.outKind === "s16" ? BOUNDS.slice(0, 1) : BOUNDS.slice(1);
    test.skipIf(reason !== "").each(bounds)(`${args.name}, kind $kind`, (bound) => {
      const tensors = {
        q: tensor<Int16Array>("q"),
        k: tensor<Int16Array>("k"),
        v: tensor<Int16Array>("v"),
      };
      expect(run(platform!, args, { ...codes, ...bound }, tensors)).toEqual({
        codes: [...tensor<Int16Array>("out")],
        brokenGuards: [],
      });
    });
  }
});

describe.each(platforms.slice(1))("attention_s16, $name against scalar", (platform) => {
  const agree = (args: AttentionArgs, codes: Codes, tensors: Tensors, label: string) => {
    const actual = run(platform, args, codes, tensors);
    expect(actual, label).toEqual(run(scalar, args, codes, tensors));
    expect(actual.brokenGuards, label).toEqual([]);
  };

  test.each(BOUNDS)("random shapes, from flat to one-hot scores, kind $kind", (bounds) => {
    for (let seed = 400; seed < 440; seed++) {
      const random = new Random(seed);
      const args = {
        tq: random.integer(1, 11),
        tk: 8 * random.integer(1, 6),
        heads: random.integer(1, 3),
        headDim: 8 * random.integer(1, 4),
        scoreScale: 10 ** random.integer(-9, -1),
      };
      const d = args.heads * args.headDim;
      const most = bounds.kind === OutKind.s16 ? 4096 : 262144;
      const scale = Float32Array.from({ length: d }, () => random.next() / most);
      const zero = Int32Array.from({ length: d }, () => random.integer(bounds.lo, bounds.hi));
      const tensor = (rows: number) => random.int16(rows * d, -2047, 2047);
      const tensors = { q: tensor(args.tq), k: tensor(args.tk), v: tensor(args.tk) };
      agree(args, { ...bounds, scale, zero }, tensors, `seed ${seed}`);
    }
  });

  test.each(BOUNDS)(
    "extremes: equal keys, largest codes, saturating output, kind $kind",
    (bounds) => {
      for (const sign of [1, -1]) {
        for (const outScale of [1 / 16383, 1, 1e31]) {
          for (const shift of [0, bounds.lo, bounds.hi]) {
            const args = { tq: 4, tk: 16, heads: 2, headDim: 8, scoreScale: 1 };
            const q = new Int16Array(4 * 16).fill(2047);
            const k = new Int16Array(16 * 16).fill(2047 * sign);
            const v = Int16Array.from({ length: 16 * 16 }, (_, i) => (i % 3 === 0 ? -2047 : 2047));
            const codes = uniform(args, outScale, bounds);
            codes.zero.fill(shift);
            agree(args, codes, { q, k, v }, `${sign} ${outScale} ${shift}`);
          }
        }
      }
    },
  );

  test("zero is added after rounding, half to even", () => {
    // One key has all the weight: its code times 16383 / 16383 / 2 is what gets rounded.
    const args = { tq: 1, tk: 8, heads: 1, headDim: 8, scoreScale: 1 };
    const q = Int16Array.from({ length: 8 }, () => 2047);
    const k = Int16Array.from({ length: 64 }, (_, i) => (i < 8 ? 2047 : -2047));
    const v = Int16Array.from({ length: 64 }, (_, i) =>
      i < 8 ? [0, 1, 2, 3, -1, -3, 300, -300][i]! : 0,
    );
    const codes = uniform(args, 0.5 / 16383, BOUNDS[2]);
    codes.zero.fill(64);
    expect(run(platform, args, codes, { q, k, v }).codes).toEqual([64, 64, 65, 66, 64, 62, 127, 0]);
  });
});
