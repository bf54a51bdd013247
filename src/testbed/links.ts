/** Links between a device and the site's broker, as data: what a figure is and where it is from. */

export interface Direction {
  readonly bitsPerSecond: number;
  /** One way. */
  readonly delayMs: number;
  /** Added to the delay, uniform in 0..jitterMs; packets keep their order. */
  readonly jitterMs: number;
  /** Share of packets lost, 0..1. */
  readonly loss: number;
}

export interface LinkProfile {
  readonly name: string;
  readonly up: Direction;
  readonly down: Direction;
  /** "shared": all devices and both directions take turns on one channel, as on one access point. */
  readonly medium: "shared" | "own";
  /** The link is down for `lastsS` at the end of every `everyS`. */
  readonly outage?: { readonly everyS: number; readonly lastsS: number };
  /** Energy preset of src/testbed/energy.ts. */
  readonly radio: "wifi" | "lte" | "nbiot";
  readonly sources: readonly string[];
}

const HUANG =
  "Huang et al., MobiSys 2012: medians of 6 Mbit/s up, 13 Mbit/s down, about 65 ms round trip on LTE";

export const LINKS: Readonly<Record<string, LinkProfile>> = {
  wifi: {
    name: "wifi",
    up: { bitsPerSecond: 50e6, delayMs: 3, jitterMs: 2, loss: 0.001 },
    down: { bitsPerSecond: 50e6, delayMs: 3, jitterMs: 2, loss: 0.001 },
    medium: "shared",
    radio: "wifi",
    sources: ["assumed: 802.11n at close range, goodput of one access point"],
  },
  "wifi-bad": {
    name: "wifi-bad",
    up: { bitsPerSecond: 5e6, delayMs: 20, jitterMs: 15, loss: 0.02 },
    down: { bitsPerSecond: 5e6, delayMs: 20, jitterMs: 15, loss: 0.02 },
    medium: "shared",
    radio: "wifi",
    sources: ["assumed: 802.11 at the end of its range, lowest rates, 2 % loss after link retries"],
  },
  "4g": {
    name: "4g",
    up: { bitsPerSecond: 6e6, delayMs: 30, jitterMs: 5, loss: 0.001 },
    down: { bitsPerSecond: 13e6, delayMs: 30, jitterMs: 5, loss: 0.001 },
    medium: "own",
    radio: "lte",
    sources: [HUANG, "assumed: jitter and 0.1 % loss; each device has the cell's median to itself"],
  },
  "4g-edge": {
    name: "4g-edge",
    up: { bitsPerSecond: 1e6, delayMs: 60, jitterMs: 40, loss: 0.01 },
    down: { bitsPerSecond: 4e6, delayMs: 60, jitterMs: 40, loss: 0.01 },
    medium: "own",
    outage: { everyS: 300, lastsS: 20 },
    radio: "lte",
    sources: ["assumed: the edge of an LTE cell, with 20 s of silence every 5 minutes"],
  },
  nbiot: {
    name: "nbiot",
    up: { bitsPerSecond: 60e3, delayMs: 750, jitterMs: 200, loss: 0.01 },
    down: { bitsPerSecond: 60e3, delayMs: 750, jitterMs: 200, loss: 0.01 },
    medium: "own",
    radio: "nbiot",
    sources: ["assumed: NB-IoT, multi-tone, good coverage; 1.5 s round trip"],
  },
};
