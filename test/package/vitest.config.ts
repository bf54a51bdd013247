import { defineConfig } from "vitest/config";

/** Named *.suite.ts so that `npm test`, which needs no registry, does not collect it. */
export default defineConfig({
  test: {
    include: ["test/package/*.suite.ts"],
    testTimeout: 600_000,
    hookTimeout: 900_000,
    fileParallelism: false,
  },
});
