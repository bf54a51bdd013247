import { describe, expect, test } from "vitest";
import { Arena, builds, type Platform } from "./platform.ts";
import { Random } from "./random.ts";
import { readVectors } from "./vectors.ts";

function run(platform: Platform, x: Float32Array, lo: number, hi: number) {
  const arena = new Arena(platform.central);
  const n = x.length / 8;
  const rows = arena.put(x);
  const y = arena.alloc(n * 4);
  platform.central.velocity_f32(rows, n, lo, hi, y);
  expect(arena.brokenGuards()).toEqual([]);
  return [...arena.f32(y, n)];
}

describe.each(builds)("velocity_f32, $title", ({ platform, reason }) => {
  test.skipIf(reason !== "")("golden vector", () => {
    for (const { args, tensor } of readVectors<{ lo: number; hi: number }>("velocity_f32")) {
      const out = tensor<Float32Array>("out");
      expect(run(platform!, tensor("x"), args.lo, args.hi)).toEqual([...out]);
    }
  });

  test.skipIf(reason !== "")("any number of rows, clamped at both ends", () => {
    const random = new Random(41);
    for (let n = 0; n < 10; n++) {
      const x = random.float32(8 * n, 0, 6000);
      const expected = Array.from({ length: n }, (_, i) =>
        Math.min(Math.max(x[8 * i]!, 1500), 4500),
      );
      expect(run(platform!, x, 1500, 4500), `seed 41, n ${n}`).toEqual(expected);
    }
  });
});
