import { describe, expect, it } from "vitest";
import { LINKS } from "../../src/testbed/links.ts";
import type { Sample } from "../../src/testbed/run.ts";
import { compareArms, quantile, summariseArm } from "../../src/testbed/summary.ts";

const map = new Float32Array(144).fill(3000);

function sample(record: number, ms: number, bytes: number): Sample {
  const device = { encodeMs: 1, computeMs: 1, payloadBytes: bytes, mqttBytes: bytes + 100 };
  const wire = { upBytes: bytes + 200, downBytes: 150 };
  const devices = [
    { ...device, ...wire, sendMs: ms, waitMs: 10 },
    { ...device, ...wire, sendMs: ms + 10, waitMs: 0 },
  ];
  return { arm: "epic", record, devices, decodeMs: 4, map };
}

const link = LINKS["4g"]!;
const summarise = (ms: number, bytes: number) =>
  summariseArm(
    [0, 1, 2].map((i) => sample(i, ms + i, bytes)),
    link,
    [map, map, map],
    12,
  );

describe("summariseArm", () => {
  it("adds the parts of a latency up, and sums bytes over the devices", () => {
    const summary = summarise(100, 1000);
    expect(summary.latencyMs).toEqual({ median: 116, p95: 117, p99: 117 });
    expect(summary.splitMs).toEqual({ encode: 1, send: 106, wait: 5, decode: 4 });
    expect(summary.stragglerMs).toBe(10);
    expect(summary.bytes).toEqual({ payload: 2000, mqtt: 2200, wire: 2700 });
    expect(summary).toMatchObject({ records: 3, ssim: 1, mae: 0 });
    expect(summary.energyJ[1]!.tail).toBeCloseTo(
      4 * summary.energyJ[5]!.tail + summary.energyJ[5]!.tail,
      9,
    );
  });
});

describe("compareArms", () => {
  it("says how many times less, with and without what both pay", () => {
    const arms = { raw: summarise(884, 100_000), epic: summarise(84, 800) };
    const { epic } = compareArms(arms, "raw", link);
    expect(epic!.latency).toBeCloseTo(900 / 100, 9);
    expect(epic!.latencyFromIdle).toBeCloseTo(1160.1 / 360.1, 9);
    expect(epic!.payload).toBe(125);
    expect(epic!.wire).toBeCloseTo(100_350 / 1150, 9);
    expect(epic!.transmitEnergy).toBeCloseTo(100_200 / 1000, 9);
    expect(epic!.radioEnergy[1]).toBeLessThan(1.1);
    expect(epic!.radioEnergy[20]).toBeGreaterThan(epic!.radioEnergy[5]!);
    expect(compareArms({ epic: arms.epic }, "raw", link)).toEqual({});
  });
});

describe("quantile", () => {
  it("is a value that came", () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(quantile(hundred, 0.95)).toBe(95);
    expect(quantile(hundred, 0.99)).toBe(99);
    expect(quantile([5], 0.5)).toBe(5);
  });
});
