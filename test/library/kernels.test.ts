import { describe, expect, it } from "vitest";
import { OutKind, openKernels, packWeightsS16 } from "../../src/kernels.ts";

describe("epic-wasm/kernels", () => {
  it.each(["scalar", "simd"] as const)("multiplies through the %s module", async (module) => {
    const { exports, arena, name } = await openKernels("central", module);
    expect(name).toBe(module);
    const k = 6;
    const rows = Int16Array.from({ length: 4 * k }, (_, i) => i - 11);
    const weight = Int8Array.from({ length: 8 * k }, (_, i) => ((i * 37) % 255) - 127);
    const a = arena.place(rows);
    const aOff = arena.place(Uint32Array.from([0, 1, 2, 3], (row) => row * k * 2));
    const b = arena.place(packWeightsS16(weight, 8, k));
    const bias = arena.place(Int32Array.from({ length: 8 }, (_, n) => 100 * n));
    const scale = arena.place(new Float32Array(8).fill(0.5));
    const cOff = arena.place(Uint32Array.from([0, 1, 2, 3], (row) => row * 32));
    const c = arena.alloc(4 * 32);
    exports.igemm_s16(a, aOff, 4, 1, 0, 2 * k, b, bias, scale, c, cOff, 8, OutKind.f32, 0, 0);
    const got = arena.view(Float32Array, c, 32);
    for (let m = 0; m < 4; m++) {
      for (let n = 0; n < 8; n++) {
        let sum = 100 * n;
        for (let i = 0; i < k; i++) sum += rows[m * k + i]! * weight[n * k + i]!;
        expect(got[m * 8 + n]).toBe(Math.fround(sum * 0.5));
      }
    }
  });

  it("refuses a side that is none", async () => {
    await expect(openKernels("middle" as "edge")).rejects.toThrow(
      new RangeError("side: expected edge or central, got middle"),
    );
  });
});
