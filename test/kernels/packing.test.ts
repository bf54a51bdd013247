import { describe, expect, test } from "vitest";
import { packWeightsS16, packWeightsU7 } from "../../src/engine/kernels.ts";

describe("weight packing", () => {
  const weight = Int8Array.from({ length: 2 * 6 }, (_, i) => i + 1); // channel 0: 1..6, channel 1: 7..12

  test("int16 pairs of eight channels, segments padded to two values", () => {
    const packed = packWeightsS16(weight, 2, 6, 2);
    expect(packed.length).toBe(8 * 2 * 4);
    expect([...packed.subarray(0, 4)]).toEqual([1, 2, 7, 8]);
    expect([...packed.subarray(16, 20)]).toEqual([3, 0, 9, 0]);
    expect([...packed.subarray(32, 36)]).toEqual([4, 5, 10, 11]);
  });

  test("int8 quadruples of eight channels, segments padded to four values", () => {
    const packed = packWeightsU7(weight, 2, 6, 1);
    expect(packed.length).toBe(8 * 8);
    expect([...packed.subarray(0, 8)]).toEqual([1, 2, 3, 4, 7, 8, 9, 10]);
    expect([...packed.subarray(32, 40)]).toEqual([5, 6, 0, 0, 11, 12, 0, 0]);
  });

  test("says which length was expected", () => {
    expect(() => packWeightsS16(weight, 2, 5)).toThrow("weights: expected 10 values (2x5), got 12");
    expect(() => packWeightsU7(weight, 2, 6, 4)).toThrow("multiple of 4 segments, got 6");
  });
});
