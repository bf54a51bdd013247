import { expect, test } from "vitest";
import { Arena } from "../../src/engine/arena.ts";
import { PLAIN_FORMS } from "../../src/engine/kernels.ts";
import { isEmulated } from "../../src/engine/speed.ts";
import { builds, type Platform } from "../kernels/platform.ts";

const [, simd, relaxed] = builds;

function timed({ edge }: Platform) {
  const arena = new Arena(edge.memory, edge.heap_base());
  return { exports: edge, arena, forms: PLAIN_FORMS };
}

test("products of bytes in scalar code are found out", () => {
  expect(isEmulated(timed(simd!.platform!))).toBe(true);
});

test.skipIf(relaxed!.reason !== "")("those of relaxed SIMD are not", () => {
  const { exports, arena, forms } = timed(relaxed!.platform!);
  const mark = arena.mark();
  expect(isEmulated({ exports, arena, forms })).toBe(false);
  expect(arena.mark()).toEqual(mark);
});
