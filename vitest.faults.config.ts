import { defineConfig } from "vitest/config";

/** Real processes killed, cut off and starved: minutes, one file after the other. */
export default defineConfig({
  test: {
    include: ["test/faults/*.fault.ts"],
    fileParallelism: false,
    testTimeout: 900_000,
    hookTimeout: 120_000,
  },
});
