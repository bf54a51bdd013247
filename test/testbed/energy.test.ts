import { describe, expect, it } from "vitest";
import { recordEnergy } from "../../src/testbed/energy.ts";
import { LINKS } from "../../src/testbed/links.ts";

describe("recordEnergy", () => {
  it("is the formula, worked by hand for LTE: one record a wake-up", () => {
    const link = LINKS["4g"]!;
    const input = { link, upBytes: 294_000, downBytes: 13_000, computeMs: 100 };
    const energy = recordEnergy({ ...input, recordsPerWakeUp: 1 });
    // 294 kB at 6 Mbit/s are 0.392 s at 1.28804 + 6 x 0.43839 = 3.91838 W.
    expect(energy.transmit).toBeCloseTo(1.536, 4);
    // 13 kB at 13 Mbit/s are 8 ms at 1.28804 + 13 x 0.05197 = 1.96365 W.
    expect(energy.receive).toBeCloseTo(0.0157092, 7);
    expect(energy.promotion).toBeCloseTo(0.2601 * 1.2107, 9);
    expect(energy.tail).toBeCloseTo(12.27056, 9);
    expect(energy.compute).toBeCloseTo(0.09, 9);
    expect(energy.total).toBeCloseTo(1.536005 + 0.0157092 + 0.3149031 + 12.27056 + 0.09, 5);
  });

  it("divides promotion and tail, and nothing else, by the records of a wake-up", () => {
    const input = { link: LINKS.wifi!, upBytes: 5000, downBytes: 500, computeMs: 2 };
    const alone = recordEnergy({ ...input, recordsPerWakeUp: 1 });
    const twenty = recordEnergy({ ...input, recordsPerWakeUp: 20 });
    expect(twenty.promotion).toBeCloseTo(0.0098276 / 20, 10);
    expect(twenty.tail).toBeCloseTo(0.0283934 / 20, 10);
    expect(twenty).toMatchObject({
      transmit: alone.transmit,
      receive: alone.receive,
      compute: alone.compute,
    });
  });

  it("agrees with the figures for Wi-Fi at 20 Mbit/s that the model was checked with", () => {
    const up = { ...LINKS.wifi!.up, bitsPerSecond: 20e6 };
    const link = { ...LINKS.wifi!, up };
    const of = (upBytes: number) =>
      recordEnergy({ link, upBytes, downBytes: 0, computeMs: 0, recordsPerWakeUp: 1 });
    expect(of(294_000).transmit).toBeCloseTo(0.68, 2);
    expect(of(2213).transmit).toBeCloseTo(0.0051, 4);
    expect(of(294_000).total).toBeCloseTo(0.72, 2);
    expect(of(2213).total).toBeCloseTo(0.043, 3);
  });
});
