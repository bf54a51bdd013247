/**
 * What a record costs a device's battery, from a parametric model: the radio wakes up (promotion), sends
 * and receives, and stays on for a while after (tail); the processor works. The board's idle power is
 * left out: it is the same whatever is sent.
 */
import type { LinkProfile } from "./links.ts";

export interface Radio {
  /** Power while sending: perMbps x rate in Mbit/s + base, W. */
  readonly upPerMbpsW: number;
  readonly downPerMbpsW: number;
  readonly baseW: number;
  readonly promotionS: number;
  readonly promotionW: number;
  readonly tailS: number;
  readonly tailW: number;
  readonly source: string;
}

const HUANG = "Huang et al., MobiSys 2012, table values as recalled, not re-read; phones of 2012";

export const RADIOS: Readonly<Record<LinkProfile["radio"], Radio>> = {
  lte: {
    upPerMbpsW: 0.43839,
    downPerMbpsW: 0.05197,
    baseW: 1.28804,
    promotionS: 0.2601,
    promotionW: 1.2107,
    tailS: 11.576,
    tailW: 1.06,
    source: HUANG,
  },
  wifi: {
    upPerMbpsW: 0.28317,
    downPerMbpsW: 0.13701,
    baseW: 0.13286,
    promotionS: 0.079,
    promotionW: 0.1244,
    tailS: 0.238,
    tailW: 0.1193,
    source: HUANG,
  },
  nbiot: {
    upPerMbpsW: 0,
    downPerMbpsW: 0,
    baseW: 0.7,
    promotionS: 2,
    promotionW: 0.25,
    tailS: 10,
    tailW: 0.1,
    source:
      "assumed, of the order of module data sheets: put in measured values before you rely on it",
  },
};

/** Watts of one busy core above idle. */
export const CORE_W = 0.9;
export const CORE_SOURCE =
  "Raspberry Pi 4: about 2.7 W idle, 6.4 W with four busy cores (J. Geerling's benchmarks)";

export interface EnergyInput {
  readonly link: LinkProfile;
  /** Per record and device, on the wire. */
  readonly upBytes: number;
  readonly downBytes: number;
  /** Processor time per record on the device. */
  readonly computeMs: number;
  /** Records that are sent together in one wake-up of the radio. */
  readonly recordsPerWakeUp: number;
}

/** Joules per record and device. */
export interface Energy {
  readonly promotion: number;
  readonly transmit: number;
  readonly receive: number;
  readonly tail: number;
  readonly compute: number;
  readonly total: number;
}

export function recordEnergy(input: EnergyInput): Energy {
  const { link, upBytes, downBytes, computeMs, recordsPerWakeUp } = input;
  const radio = RADIOS[link.radio];
  const promotion = (radio.promotionS * radio.promotionW) / recordsPerWakeUp;
  const tail = (radio.tailS * radio.tailW) / recordsPerWakeUp;
  const transmit = airtimeJ(upBytes, link.up.bitsPerSecond, radio.upPerMbpsW, radio.baseW);
  const receive = airtimeJ(downBytes, link.down.bitsPerSecond, radio.downPerMbpsW, radio.baseW);
  const compute = (CORE_W * computeMs) / 1000;
  const total = promotion + transmit + receive + tail + compute;
  return { promotion, transmit, receive, tail, compute, total };
}

function airtimeJ(bytes: number, bitsPerSecond: number, perMbpsW: number, baseW: number): number {
  return ((8 * bytes) / bitsPerSecond) * (baseW + (perMbpsW * bitsPerSecond) / 1e6);
}
