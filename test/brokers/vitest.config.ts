import { defineConfig } from "vitest/config";

/** Named *.suite.ts so that `npm test`, which needs no broker but its own, does not collect it. */
export default defineConfig({
  test: {
    include: ["test/brokers/*.suite.ts"],
    // Elections and reconnections on a loaded machine: what counts is that nothing is lost.
    testTimeout: 1_200_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
});
