import { describe, expect, it } from "vitest";
import { Arena } from "../../src/engine/arena.ts";
import { centralModules } from "../../src/engine/centralModules.ts";
import { edgeModules } from "../../src/engine/edgeModules.ts";
import { instantiateWasm } from "../../src/engine/instantiate.ts";
import type { KernelExports, ModuleName, Tiles } from "../../src/engine/kernels.ts";
import type { ModuleFamily } from "../../src/engine/openModule.ts";
import { enableRelaxedSimd } from "../library/relaxed.ts";

const hasRelaxed = enableRelaxedSimd();

async function hashOf<T extends KernelExports>(
  family: ModuleFamily<T>,
  name: ModuleName,
  tiles: Tiles,
): Promise<number> {
  const { exports, memory } = await instantiateWasm<T>(await family.source[name]());
  return family.selfTest(exports, new Arena(memory, exports.heap_base()), tiles);
}

describe("the stored self-test values", () => {
  it.each(["scalar", "simd", "relaxed"] as const)("are what the %s modules give", async (name) => {
    if (name === "relaxed" && !hasRelaxed) return;
    expect(await hashOf(edgeModules, name, "")).toBe(edgeModules.selfTestHash);
    for (const tiles of ["", "_4x16"] as const) {
      expect(await hashOf(centralModules, name, tiles)).toBe(centralModules.selfTestHash);
    }
  });
});
