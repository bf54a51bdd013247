import { describe, expect, test } from "vitest";
import { attentionScratchBytes } from "../../src/engine/kernels.ts";
import { Arena, builds, type Platform, platforms, scalar } from "./platform.ts";
import { Random } from "./random.ts";
import { readVectors } from "./vectors.ts";

interface AttentionArgs {
  readonly tq: number;
  readonly tk: number;
  readonly heads: number;
  readonly headDim: number;
  readonly scoreScale: number;
  readonly outScale: number;
}

interface Tensors {
  readonly q: Int16Array;
  readonly k: Int16Array;
  readonly v: Int16Array;
}

/** Keys and values lie in one matrix with rows of 2·d, as the kv projection leaves them. */
function run(platform: Platform, args: AttentionArgs, { q, k, v }: Tensors) {
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
  const y = arena.alloc(tq * d * 2);
  platform.central.attention_s16(
    queries,
    d * 2,
    keys,
    d * 4,
    keys + d * 2,
    d * 4,
    tq,
    tk,
    heads,
    headDim,
    args.scoreScale,
    args.outScale,
    scratch,
    y,
    d * 2,
  );
  return { codes: [...arena.i16(y, tq * d)], brokenGuards: arena.brokenGuards() };
}

describe.each(builds)("attention_s16, $title: golden vectors", ({ platform, reason }) => {
  for (const { args, tensor } of readVectors<AttentionArgs>("attention_s16")) {
    test.skipIf(reason !== "")(args.name, () => {
      const tensors = {
        q: tensor<Int16Array>("q"),
        k: tensor<Int16Array>("k"),
        v: tensor<Int16Array>("v"),
      };
      expect(run(platform!, args, tensors)).toEqual({
        codes: [...tensor<Int16Array>("out")],
        brokenGuards: [],
      });
    });
  }
});

describe.each(platforms.slice(1))("attention_s16, $name against scalar", (platform) => {
  const agree = (args: AttentionArgs, tensors: Tensors, label: string) => {
    const actual = run(platform, args, tensors);
    expect(actual, label).toEqual(run(scalar, args, tensors));
    expect(actual.brokenGuards, label).toEqual([]);
  };

  test("random shapes, from flat to one-hot scores", () => {
    for (let seed = 400; seed < 440; seed++) {
      const random = new Random(seed);
      const args = {
        tq: random.integer(1, 11),
        tk: 8 * random.integer(1, 6),
        heads: random.integer(1, 3),
        headDim: 8 * random.integer(1, 4),
        scoreScale: 10 ** random.integer(-9, -1),
        outScale: random.next() / 4096,
      };
      const d = args.heads * args.headDim;
      const tensor = (rows: number) => random.int16(rows * d, -2047, 2047);
      agree(args, { q: tensor(args.tq), k: tensor(args.tk), v: tensor(args.tk) }, `seed ${seed}`);
    }
  });

  test("extremes: equal keys, largest codes, saturating output", () => {
    for (const sign of [1, -1]) {
      for (const outScale of [1 / 16383, 1]) {
        const args = { tq: 4, tk: 16, heads: 2, headDim: 8, scoreScale: 1, outScale };
        const q = new Int16Array(4 * 16).fill(2047);
        const k = new Int16Array(16 * 16).fill(2047 * sign);
        const v = Int16Array.from({ length: 16 * 16 }, (_, i) => (i % 3 === 0 ? -2047 : 2047));
        agree(args, { q, k, v }, `${sign} ${outScale}`);
      }
    }
  });
});
