/** Chance from a seed that a failed test prints. */
import { seededIntegers } from "../../src/engine/seeded.ts";

/** A whole number from `low` to `high`, both included. */
export type Random = (low: number, high: number) => number;

/** EPIC_FAULT_SEED repeats a run's choices (not its timing). */
export function newSeed(): number {
  const given = Number(process.env.EPIC_FAULT_SEED);
  return Number.isInteger(given) && given > 0 ? given : 1 + Math.floor(Math.random() * 1e9);
}

export function randomOf(seed: number): Random {
  return seededIntegers(seed);
}

/** `count` different numbers from 1 to `max`, in order. */
export function pick(random: Random, count: number, max: number): number[] {
  const picked = new Set<number>();
  while (picked.size < Math.min(count, max)) picked.add(random(1, max));
  return [...picked].sort((a, b) => a - b);
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
