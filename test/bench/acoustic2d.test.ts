/** The rows of `bench/kernels/acoustic2d.bench.ts`: rates beside the two ceilings. */
import { expect, test } from "vitest";
import bench from "../../bench/kernels/acoustic2d.bench.ts";

test("cells per second as shares of f32 arithmetic and of a sweep through memory", async () => {
  const rows = await bench({ rounds: 1, taskMs: 2 });
  expect(rows.map(({ name, module }) => `${name.split(",")[1]!.trim()} ${module}`)).toEqual([
    "fast scalar",
    "fast simd",
    "openfwi scalar",
    "openfwi simd",
  ]);
  for (const { name, module, macs, medianMs, gmacs, gcells, peakShare, memoryShare } of rows) {
    const cells = 1000 * Number(/(\d+) kcell/.exec(name)![1]);
    expect(macs).toBeGreaterThanOrEqual(7.9 * cells);
    expect(gmacs).toBeCloseTo(macs / medianMs / 1e6);
    expect(gcells! / (cells / medianMs / 1e6)).toBeCloseTo(1, 1);
    if (module === "scalar") {
      expect(peakShare).toBeNull();
      expect(memoryShare).toBeUndefined();
    } else {
      expect(peakShare).toBeGreaterThan(0.05);
      expect(memoryShare).toBeGreaterThan(0.005);
    }
  }
});
