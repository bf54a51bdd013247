import { describe, expect, it } from "vitest";
import { LINKS } from "../../src/testbed/links.ts";
import { LinkShaper } from "../../src/testbed/shaper.ts";

const clean = { bitsPerSecond: 1e6, delayMs: 50, jitterMs: 0, loss: 0 };
/** A full segment at 1 Mbit/s. */
const airtimeMs = ((1448 + 66) * 8) / 1000;

/** Gives back the numbers in turn, then the last one. */
function draws(...values: number[]): () => number {
  return () => (values.length > 1 ? values.shift()! : values[0]!);
}

describe("LinkShaper, on a clock of its own", () => {
  it("adds the time on the air and the delay", () => {
    const shaper = new LinkShaper(clean, { freeAtMs: 0 }, draws(0.5));
    expect(shaper.send(1448, 1000)).toBeCloseTo(1000 + airtimeMs + 50, 6);
  });

  it("keeps the rate over a burst, however early the segments come", () => {
    const shaper = new LinkShaper(clean, { freeAtMs: 0 }, draws(0.5));
    let last = 0;
    for (let i = 0; i < 200; i++) last = shaper.send(1448, 0);
    expect(last).toBeCloseTo(200 * airtimeMs + 50, 6);
  });

  it("starts again at once after a pause", () => {
    const shaper = new LinkShaper(clean, { freeAtMs: 0 }, draws(0.5));
    shaper.send(1448, 0);
    expect(shaper.send(100, 5000)).toBeCloseTo(5000 + (166 * 8) / 1000 + 50, 6);
  });

  it("spreads arrivals by the jitter and keeps their order", () => {
    const jittery = { ...clean, jitterMs: 40 };
    const shaper = new LinkShaper(jittery, { freeAtMs: 0 }, draws(0.9, 0.9, 0.9, 0));
    const first = shaper.send(100, 0);
    expect(first).toBeCloseTo((166 * 8) / 1000 + 50 + 0.9 * 40, 6);
    const second = shaper.send(100, 1);
    const third = shaper.send(100, 2);
    expect(second).toBeGreaterThanOrEqual(first);
    expect(third).toBeGreaterThanOrEqual(second);
  });

  it("repairs a loss after a round trip within a burst, after a time-out at its end", () => {
    const lossy = { ...clean, loss: 0.5 };
    const burst = new LinkShaper(lossy, { freeAtMs: 0 }, draws(0.1, 0.9, 0));
    expect(burst.send(1448, 0, 10)).toBeCloseTo(airtimeMs + 100 + 50, 6);
    const tail = new LinkShaper(lossy, { freeAtMs: 0 }, draws(0.1, 0.9, 0));
    expect(tail.send(1448, 0, 0)).toBeCloseTo(airtimeMs + 200 + 50, 6);
    const twice = new LinkShaper(lossy, { freeAtMs: 0 }, draws(0.1, 0.1, 0.9, 0));
    expect(twice.send(1448, 0, 0)).toBeCloseTo(airtimeMs + 200 + 400 + 50, 6);
  });

  it("holds what follows a lost segment back until it is there", () => {
    const shaper = new LinkShaper(
      { ...clean, loss: 0.5 },
      { freeAtMs: 0 },
      draws(0.1, 0.9, 0, 0.9),
    );
    const lost = shaper.send(1448, 0, 0);
    expect(shaper.send(1448, 0, 0)).toBe(lost);
  });

  it("loses the stated share", () => {
    let state = 1;
    const random = () => {
      state = (state * 48271) % 2147483647;
      return state / 2147483647;
    };
    const shaper = new LinkShaper(
      { ...clean, bitsPerSecond: 1e12, loss: 0.02 },
      { freeAtMs: 0 },
      random,
    );
    let late = 0;
    // Far apart, so that no segment waits for the one before it.
    for (let i = 1; i <= 20_000; i++) if (shaper.send(100, i * 10_000) > i * 10_000 + 51) late++;
    expect(late / 20_000).toBeGreaterThan(0.016);
    expect(late / 20_000).toBeLessThan(0.024);
  });

  it("shares a medium: one device's burst delays the other", () => {
    const channel = { freeAtMs: 0 };
    const [a, b] = [0, 1].map(() => new LinkShaper(clean, channel, draws(0.5))) as [
      LinkShaper,
      LinkShaper,
    ];
    for (let i = 0; i < 10; i++) a.send(1448, 0);
    expect(b.send(1448, 0)).toBeCloseTo(11 * airtimeMs + 50, 6);
  });

  it("passes whole packets on, late by rate and delay, and drops the lost and what finds the queue full", () => {
    const lossy = { ...clean, loss: 0.5 };
    const shaper = new LinkShaper(lossy, { freeAtMs: 0 }, draws(0.9, 0, 0.1, 0.9, 0));
    expect(shaper.pass(1514, 0, 20)).toBeCloseTo(airtimeMs + 50, 6);
    // Lost on the air, which it occupies all the same.
    expect(shaper.pass(1514, 0, 20)).toBeUndefined();
    // The channel is busy for another 24 ms.
    expect(shaper.pass(1514, 0, 20)).toBeUndefined();
    expect(shaper.pass(1514, 10, 20)).toBeCloseTo(3 * airtimeMs + 50, 6);
  });

  it("waits out an outage", () => {
    const outage = { everyS: 300, lastsS: 20 };
    const shaper = new LinkShaper(clean, { freeAtMs: 0 }, draws(0.5), outage);
    expect(shaper.send(1448, 279_000)).toBeCloseTo(279_000 + airtimeMs + 50, 6);
    expect(shaper.send(1448, 285_000)).toBeCloseTo(300_000 + airtimeMs + 50, 6);
  });
});

describe("link profiles", () => {
  it.each(Object.values(LINKS))("$name states figures that can be, and their sources", (link) => {
    for (const { bitsPerSecond, delayMs, jitterMs, loss } of [link.up, link.down]) {
      expect(bitsPerSecond).toBeGreaterThan(0);
      expect(Math.min(delayMs, jitterMs, loss)).toBeGreaterThanOrEqual(0);
      expect(loss).toBeLessThan(0.5);
    }
    expect(link.sources.length).toBeGreaterThan(0);
  });
});
