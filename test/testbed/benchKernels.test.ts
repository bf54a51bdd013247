import { describe, expect, test } from "vitest";
import {
  benchCases,
  benchKernels,
  selectCases,
  supportedModules,
} from "../../src/testbed/bench/benchKernels.ts";
import { median } from "../../src/testbed/bench/timing.ts";

const QUICK = { rounds: 1, taskMs: 1 };

describe("benchKernels", () => {
  test("one row per case and module, then the peaks", async () => {
    const modules = await supportedModules(["scalar", "simd"]);
    const seen: string[] = [];
    const rows = await benchKernels({
      ...QUICK,
      modules,
      names: ["enc3", "add_f32"],
      onCase: (name) => seen.push(name),
    });
    expect(seen).toEqual(["enc3 16x128x64", "add 80x128"]);
    expect(rows.map(({ name, module }) => `${name} ${module}`)).toEqual([
      "enc3 16x128x64 scalar",
      "enc3 16x128x64 simd",
      "add 80x128 scalar",
      "add 80x128 simd",
      "peak i32 registers scalar",
      "peak i32 L1 scalar",
      "peak s16 registers simd",
      "peak s16 L1 simd",
    ]);
    const [dense, , add] = rows;
    expect(dense!.macs).toBe(16 * 128 * 64);
    expect(dense!.gmacs).toBeCloseTo(dense!.macs / dense!.medianMs / 1e6);
    expect(dense!.peakShare).toBeGreaterThan(0);
    expect(add).toMatchObject({ macs: 0, gmacs: null, peakShare: null });
  });

  test("every case gives the scalar module's output", async () => {
    const modules = await supportedModules(["simd", "relaxed"]);
    const rows = await benchKernels({ rounds: 1, taskMs: 0, modules });
    expect(rows.filter(({ kernel }) => kernel !== "peak").length).toBe(
      benchCases.length * modules.length,
    );
  }, 240_000);

  test("names that no case has", () => {
    expect(() => selectCases(["gemv"])).toThrow(/part of a case's or kernel's name.*got gemv/);
    expect(selectCases(["dec"], "igemm_u7").map(({ name }) => name.slice(0, 4))).toEqual([
      "dec1",
      "dec3",
      "dec4",
      "dec6",
    ]);
    expect(selectCases(["dec7"]).map(({ kernel }) => kernel)).toEqual(["conv_velocity"]);
  });
});

test("median of odd and even counts", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});
