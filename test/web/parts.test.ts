/** The page's parts that need no browser. */
import { describe, expect, it } from "vitest";
import { LatestOnly } from "../../web/src/compute/latestOnly.ts";
import { bytes, familyLabel, milliseconds, seconds, times } from "../../web/src/format.ts";
import { LINKS, transferSeconds, wireBytes } from "../../web/src/links.ts";
import { paintDisc } from "../../web/src/paintDisc.ts";

describe("LatestOnly", () => {
  it("sends one at a time and the newest of those that waited", () => {
    const sent: number[] = [];
    const queue = new LatestOnly<number>((request) => sent.push(request));
    for (const request of [1, 2, 3]) queue.request(request);
    expect(sent).toEqual([1]);
    expect(queue.answered()).toBe(false);
    expect(sent).toEqual([1, 3]);
    expect(queue.answered()).toBe(true);
    queue.request(4);
    expect(sent).toEqual([1, 3, 4]);
  });
});

describe("links", () => {
  it("count headers of segments and of acknowledgements", () => {
    expect(wireBytes(1088)).toBe(1088 + 66 * 2);
    expect(wireBytes(2 * 1448)).toBe(2 * 1448 + 66 * 3);
    expect(wireBytes(280_000)).toBe(280_000 + 66 * (194 + 97));
  });

  it("add up wake-up, delay and bytes over rate, the devices one after another or side by side", () => {
    const link = { name: "x", label: "x", upMbps: 0.8, delayMs: 100, wakeMs: 50, shared: false };
    expect(transferSeconds(link, [1000 - 132])).toBeCloseTo(0.15 + 0.01, 12);
    expect(transferSeconds(link, [1000 - 132, 500 - 132])).toBeCloseTo(0.15 + 0.01, 12);
    const shared = { ...link, shared: true };
    expect(transferSeconds(shared, [1000 - 132, 500 - 132])).toBeCloseTo(0.15 + 0.015, 12);
  });

  it("have names of their own", () => {
    expect(new Set(LINKS.map(({ name }) => name)).size).toBe(LINKS.length);
  });
});

describe("figures", () => {
  it.each([
    [bytes(5440), "5,440 B"],
    [bytes(298_000), "298 kB"],
    [bytes(1_400_000), "1.40 MB"],
    [milliseconds(0.256), "0.26 ms"],
    [milliseconds(2.34), "2.3 ms"],
    [milliseconds(68.4), "68 ms"],
    [seconds(0.0123), "12 ms"],
    [seconds(1.594), "1.59 s"],
    [seconds(41.2), "41 s"],
    [times(257.4), "257×"],
    [times(2.34), "2.3×"],
    [familyLabel("flatvel-a"), "FlatVel-A"],
    [familyLabel("curvefault-b"), "CurveFault-B"],
    [familyLabel("style-a"), "Style-A"],
  ])("%s", (got, expected) => expect(got).toBe(expected));
});

describe("paintDisc", () => {
  const painted = (row: number, column: number, radius: number) => {
    const map = new Float32Array(5 * 4);
    paintDisc(map, 4, { row, column }, radius, 1);
    return Array.from({ length: 5 }, (_, r) => [...map.subarray(4 * r, 4 * r + 4)].join(""));
  };

  it("paints one cell with radius 0", () => {
    expect(painted(2, 1, 0)).toEqual(["0000", "0000", "0100", "0000", "0000"]);
  });

  it("paints a round brush", () => {
    expect(painted(2, 1, 1)).toEqual(["0000", "0100", "1110", "0100", "0000"]);
  });

  it("stays on the map", () => {
    expect(painted(0, 3, 2)).toEqual(["0111", "0111", "0011", "0000", "0000"]);
  });
});
