/** What every host relies on: docs/abi.md. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ABI_VERSION } from "../../src/engine/kernels.ts";
import { builds, moduleBytes } from "./platform.ts";

const IGEMMS = ["igemm_s16", "igemm_s16_4x16", "igemm_u7", "igemm_u7_dot4", "igemm_u7_dot4_4x16"];
const PACKS = ["pack_igemm_s16", "pack_igemm_u7"];
const COMMON = ["abi_version", "heap_base", ...IGEMMS, ...PACKS, "memory"];
const SIDES = {
  edge: {
    bytesMax: 16_000,
    exports: [
      ...COMMON,
      "conv1d_pairs_s16",
      "find_nonfinite_f32",
      "input_stage",
      "pack_conv1d_pairs",
      "pack_s8",
    ],
  },
  central: {
    bytesMax: 32_000,
    exports: [
      ...COMMON,
      "add_f32",
      "attention_s16",
      "conv_velocity_s16",
      "conv_velocity_u7",
      "igemm_u7_sum4",
      "largest_sum4",
      "layer_norm",
      "pack_winograd",
      "unpack_s8",
      "winograd2x2_s16",
      "winograd2x2_s16_4x16",
      "winograd3x3_s16",
      "winograd3x3_s16_4x16",
    ],
  },
} as const;

describe.each(builds)("$title module", ({ name, platform, reason }) => {
  describe.each(["edge", "central"] as const)("%s", (side) => {
    test("fits its size", () => {
      expect(moduleBytes[side][name].length).toBeLessThanOrEqual(SIDES[side].bytesMax);
    });

    test.skipIf(reason !== "")("imports nothing and exports the ABI", () => {
      const module = new WebAssembly.Module(moduleBytes[side][name]);
      expect(WebAssembly.Module.imports(module)).toEqual([]);
      const names = WebAssembly.Module.exports(module).map((entry) => entry.name);
      expect(names.sort()).toEqual([...SIDES[side].exports].sort());
    });

    test.skipIf(reason !== "")("states its version, its heap and a memory maximum", () => {
      const exports = platform![side];
      expect(exports.abi_version()).toBe(ABI_VERSION);
      expect(exports.heap_base() % 64).toBe(0);
      expect(exports.heap_base()).toBeLessThan(4096);
      expect(exports.memory.buffer.byteLength).toBe(16 * 65536);
      const pages = exports.memory.buffer.byteLength / 65536;
      expect(() => exports.memory.grow(4096 - pages + 1)).toThrow(RangeError);
    });
  });

  test("holds the instructions of its name and no others", () => {
    for (const side of ["edge", "central"]) {
      const text = readFileSync(
        new URL(`../../build/${side}.${name}.wat`, import.meta.url),
        "utf8",
      );
      expect(text.includes("v128")).toBe(name !== "scalar");
      expect(text.includes("relaxed_dot")).toBe(name === "relaxed");
      expect(text).not.toMatch(/relaxed_(?!dot)/); // fused or not, out of range or not: not the same bits everywhere
    }
  });
});
