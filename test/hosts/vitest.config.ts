import { defineConfig } from "vitest/config";

/** Named *.suite.ts so that `npm test`, which needs no host but Node, does not collect it. */
export default defineConfig({
  test: {
    include: ["test/hosts/*.suite.ts"],
    // Interpreters on a loaded machine: what counts are the bits.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
