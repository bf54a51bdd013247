import { defineConfig } from "vitest/config";

/** Hours on a slow machine: EPIC_SOAK_RECORDS makes it shorter. */
export default defineConfig({
  test: {
    include: ["test/faults/*.soak.ts"],
    env: { EPIC_FAULT_RECORDS: process.env.EPIC_SOAK_RECORDS ?? "10000" },
    testTimeout: 6 * 3_600_000,
    hookTimeout: 120_000,
  },
});
