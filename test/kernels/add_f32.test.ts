import { describe, expect, test } from "vitest";
import { Arena, builds, type Platform } from "./platform.ts";
import { Random } from "./random.ts";
import { readVectors } from "./vectors.ts";

function run(platform: Platform, x: Float32Array, y: Float32Array) {
  const arena = new Arena(platform.central);
  const sum = arena.put(x);
  const other = arena.put(y);
  platform.central.add_f32(sum, other, x.length);
  expect(arena.brokenGuards()).toEqual([]);
  expect([...arena.f32(other, y.length)]).toEqual([...y]);
  return [...arena.f32(sum, x.length)];
}

describe.each(builds)("add_f32, $title", ({ platform, reason }) => {
  test.skipIf(reason !== "")("golden vector", () => {
    for (const { tensor } of readVectors("add_f32")) {
      const out = tensor<Float32Array>("out");
      expect(run(platform!, tensor("x"), tensor("y"))).toEqual([...out]);
    }
  });

  test.skipIf(reason !== "")("one rounding per sum, every multiple of four", () => {
    const random = new Random(31);
    for (const n of [0, 4, 8, 12, 100]) {
      const x = random.float32(n, -1e6, 1e6);
      const y = random.float32(n, -1, 1);
      const expected = Array.from(x, (v, i) => Math.fround(v + y[i]!));
      expect(run(platform!, x, y), `seed 31, n ${n}`).toEqual(expected);
    }
  });
});
