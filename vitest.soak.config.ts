import { defineConfig } from "vitest/config";

/** A quarter of an hour on a busy two-core machine: EPIC_SOAK_RECORDS makes it shorter. Removing the results takes minutes too. */
export default defineConfig({
  test: {
    include: ["test/faults/*.soak.ts"],
    env: { EPIC_FAULT_RECORDS: process.env.EPIC_SOAK_RECORDS ?? "10000" },
    testTimeout: 6 * 3_600_000,
    hookTimeout: 3_600_000,
  },
});
