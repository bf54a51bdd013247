import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GapLedger } from "../../src/edge/gapLedger.ts";
import type { Gap } from "../../src/protocol/index.ts";
import { modelId } from "./smallSurvey.ts";

const lossOf = (record: number) => ({
  record: BigInt(record),
  modelId,
  reason: "outbox-full" as const,
});

/** The ledger as a start from what is on disk would give it. */
class Disk {
  readonly values = new Map<string, Uint8Array>();
  ledger: GapLedger;
  readonly #gapsMax: number;

  constructor(gapsMax?: number) {
    this.#gapsMax = gapsMax ?? 10_000;
    this.ledger = new GapLedger(gapsMax);
  }

  change({ writes, apply }: ReturnType<GapLedger["add"]>): void {
    for (const write of writes) {
      if (write.type === "put") this.values.set(write.key, write.value);
      else this.values.delete(write.key);
    }
    apply();
  }

  restart(): void {
    this.ledger = new GapLedger(this.#gapsMax);
    for (const key of [...this.values.keys()].sort()) this.ledger.load(this.values.get(key)!);
  }

  /** Reports and notes everything. */
  drain(): Gap[] {
    const gaps: Gap[] = [];
    for (let gap = this.ledger.first(); gap !== undefined; gap = this.ledger.first()) {
      gaps.push(gap);
      this.change(this.ledger.noted(gap));
    }
    return gaps;
  }
}

describe("GapLedger", () => {
  it("reports exactly the records lost, whatever their order, restarts and reports between", () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.nat(60) },
      fc.constant("restart" as const),
      fc.constant("report" as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const disk = new Disk();
        const lost = new Set<number>();
        const named = new Set<number>();
        const report = (gaps: readonly Gap[]) => {
          for (const { from, to, lost: count } of gaps) {
            expect(count).toBe(to - from + 1n);
            for (let record = from; record <= to; record++) named.add(Number(record));
          }
        };
        for (const what of steps) {
          if (what === "restart") disk.restart();
          else if (what === "report") {
            const gap = disk.ledger.first();
            if (gap !== undefined) disk.change(disk.ledger.noted(gap));
            if (gap !== undefined) report([gap]);
          } else {
            lost.add(what);
            disk.change(disk.ledger.add([lossOf(what)]));
          }
        }
        disk.restart();
        report(disk.drain());
        expect([...named].sort()).toEqual([...lost].sort());
        expect(disk.values.size).toBe(0);
      }),
      { numRuns: 3000, examples: [[[16, 17, 0, 16]]] },
    );
  });

  it("stays small and covers everything beyond its bound", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 1, maxLength: 100 }), (records) => {
        const disk = new Disk(3);
        for (const record of records) disk.change(disk.ledger.add([lossOf(record)]));
        expect(disk.ledger.size).toBeLessThanOrEqual(3);
        expect(disk.values.size).toBe(disk.ledger.size);
        const gaps = disk.drain();
        for (const record of records) {
          expect(gaps.some(({ from, to }) => from <= record && record <= to)).toBe(true);
        }
      }),
    );
  });

  it("takes many losses in one change", () => {
    const disk = new Disk();
    disk.change(disk.ledger.add([1, 2, 3, 7, 8].map(lossOf)));
    expect(disk.drain().map(({ from, to }) => [from, to])).toEqual([
      [1n, 3n],
      [7n, 8n],
    ]);
  });
});
