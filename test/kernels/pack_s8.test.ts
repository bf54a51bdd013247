import { describe, expect, test } from "vitest";
import { runConversion } from "./elementwise.ts";
import { builds } from "./platform.ts";
import { readVectors } from "./vectors.ts";

describe.each(builds)("pack_s8, $title", ({ platform, reason }) => {
  test.skipIf(reason !== "")("golden vector", () => {
    for (const { tensor } of readVectors("pack_s8")) {
      const x = tensor<Int16Array>("x");
      const { bytes, brokenGuards } = runConversion(platform!, "pack_s8", x, x.length);
      expect([...new Int8Array(bytes.buffer)]).toEqual([...tensor<Int8Array>("out")]);
      expect(brokenGuards).toEqual([]);
    }
  });

  test.skipIf(reason !== "")("every value, every length up to 32, nothing for zero", () => {
    for (const n of [0, 8, 16, 24, 32, 256]) {
      const x = Int16Array.from({ length: n }, (_, i) => (i % 255) - 127);
      const { bytes, brokenGuards } = runConversion(platform!, "pack_s8", x, n);
      expect([...new Int8Array(bytes.buffer)]).toEqual([...x]);
      expect(brokenGuards).toEqual([]);
    }
  });
});
