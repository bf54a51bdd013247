/** Resident memory of processes over a run. */
import { readFileSync } from "node:fs";
import type { Service } from "./service.ts";

export interface MemorySample {
  /** Seconds since the watch began. */
  readonly s: number;
  /** How much of the run was over, 0 to 1. */
  readonly progress: number;
  /** MiB by process; null while it is not there. */
  readonly rss: Readonly<Record<string, number | null>>;
}

const EVERY_MS = 2000;

export class MemoryWatch {
  readonly names: readonly string[];
  readonly samples: MemorySample[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(services: readonly Service[], progress: () => number) {
    this.names = services.map(({ name }) => name);
    const start = performance.now();
    this.#timer = setInterval(() => {
      const rss = Object.fromEntries(services.map(({ name, pid }) => [name, rssMib(pid)]));
      const s = Math.round((performance.now() - start) / 100) / 10;
      this.samples.push({ s, progress: Math.round(progress() * 1000) / 1000, rss });
    }, EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What one process used in a part of the run. */
  between(name: string, from: number, to: number): number[] {
    return this.samples
      .filter(({ progress }) => from <= progress && progress <= to)
      .flatMap(({ rss }) => rss[name] ?? []);
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function rssMib(pid: number | undefined): number | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    return kib === undefined ? null : Math.round(Number(kib) / 102.4) / 10;
  } catch {
    return null;
  }
}
