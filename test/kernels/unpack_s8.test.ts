import { describe, expect, test } from "vitest";
import { runConversion } from "./elementwise.ts";
import { builds } from "./platform.ts";
import { readVectors } from "./vectors.ts";

describe.each(builds)("unpack_s8, $title", ({ platform, reason }) => {
  test.skipIf(reason !== "")("golden vector", () => {
    for (const { tensor } of readVectors("unpack_s8")) {
      const x = tensor<Int8Array>("x");
      const { bytes, brokenGuards } = runConversion(platform!, "unpack_s8", x, 2 * x.length);
      expect([...new Int16Array(bytes.buffer)]).toEqual([...tensor<Int16Array>("out")]);
      expect(brokenGuards).toEqual([]);
    }
  });

  test.skipIf(reason !== "")("every value, every length up to 32, nothing for zero", () => {
    for (const n of [0, 8, 16, 24, 32, 256]) {
      const x = Int8Array.from({ length: n }, (_, i) => i - 128);
      const { bytes, brokenGuards } = runConversion(platform!, "unpack_s8", x, 2 * n);
      expect([...new Int16Array(bytes.buffer)]).toEqual([...x]);
      expect(brokenGuards).toEqual([]);
    }
  });
});
