import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { knowsInstructionsOf } from "../../src/engine/features.ts";

const modules = ["scalar", "simd", "relaxed"] as const;

test.each(modules)("%s: the probe says what the whole module's validation says", (name) => {
  for (const side of ["edge", "central"]) {
    const bytes = new Uint8Array(readFileSync(`dist/wasm/${side}.${name}.wasm`));
    expect(knowsInstructionsOf(name)).toBe(WebAssembly.validate(bytes));
  }
});

test("scalar and SIMD run on every engine that runs these tests", () => {
  expect(knowsInstructionsOf("scalar")).toBe(true);
  expect(knowsInstructionsOf("simd")).toBe(true);
});
