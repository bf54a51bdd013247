/** What a file of `bench/kernels/` is, and how its rows are printed. */
import os from "node:os";
import {
  type BenchOptions,
  type BenchResult,
  benchKernels,
} from "../src/testbed/bench/benchKernels.ts";

export type KernelBench = (options: BenchOptions) => Promise<BenchResult[]>;

/** Times the cases of one kernel, narrowed by `names` where given. */
export function kernelBench(kernel: string): KernelBench {
  return (options) => benchKernels({ ...options, kernel });
}

/** What a record must state to be read later. */
export function machine() {
  const [cpu] = os.cpus();
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    cpu: cpu?.model ?? "unknown",
    cores: os.cpus().length,
    loadAverage: os.loadavg()[0],
  };
}

/** One line per row: rate and share of the measured peak where the kernel has them. */
export function table(results: readonly BenchResult[]): string {
  const width = Math.max(...results.map(({ name }) => name.length));
  const lines = results.map((row) =>
    [
      row.name.padEnd(width),
      row.module.padEnd(7),
      `${(row.medianMs * 1000).toFixed(2)} us`.padStart(12),
      `best ${(row.bestMs * 1000).toFixed(2)}`.padStart(14),
      `±${Math.round(row.spread * 50)} %`.padStart(7),
      (row.gmacs === null ? "" : `${row.gmacs.toFixed(1)} GMAC/s`).padStart(13),
      row.peakShare === null ? "" : `${Math.round(row.peakShare * 100)} % of peak`,
      row.gcells === undefined ? "" : `${row.gcells.toFixed(2)} Gcell/s`,
      row.memoryShare === undefined ? "" : `${Math.round(row.memoryShare * 100)} % of a sweep`,
    ]
      .join(" ")
      .trimEnd(),
  );
  return lines.join("\n");
}
