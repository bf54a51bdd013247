/** How long a record takes over one of the testbed's links: wake-up, delay, bytes over rate. */
import { RADIOS } from "../../src/testbed/energy.ts";
import { LINKS as PROFILES } from "../../src/testbed/links.ts";

export interface LinkProfile {
  readonly name: string;
  readonly label: string;
  /** From a device to the central node. */
  readonly upMbps: number;
  /** One way. */
  readonly delayMs: number;
  /** Of a radio that was asleep. */
  readonly wakeMs: number;
  /** All devices take turns on one channel. */
  readonly shared: boolean;
}

const LABELS: Readonly<Record<string, string>> = {
  wifi: "Wi-Fi, good",
  "wifi-bad": "Wi-Fi, poor",
  "4g": "4G",
  "4g-edge": "4G, edge of the cell",
  nbiot: "NB-IoT",
};

/** Sources and assumptions are the testbed's (docs/testbed.md). */
export const LINKS: readonly LinkProfile[] = Object.values(PROFILES).map(
  ({ name, up, medium, radio }) => ({
    name,
    label: LABELS[name] ?? name,
    upMbps: up.bitsPerSecond / 1e6,
    delayMs: up.delayMs,
    wakeMs: 1000 * RADIOS[radio].promotionS,
    shared: medium === "shared",
  }),
);

/** Ethernet, IPv4 and TCP with timestamps; docs/protocol.md, "Bytes". */
const SEGMENT_HEADER_BYTES = 66;
const SEGMENT_DATA_BYTES = 1448;

/** Bytes on the wire of `bytes` in full TCP segments, acknowledgements included. */
export function wireBytes(bytes: number): number {
  const segments = Math.ceil(bytes / SEGMENT_DATA_BYTES);
  return bytes + SEGMENT_HEADER_BYTES * (segments + Math.ceil(segments / 2));
}

/**
 * Seconds until the last byte of every device is at the central node; loss and jitter left out.
 * @param deviceBytes what each device sends; devices that send nothing do not wait for the link
 */
export function transferSeconds(link: LinkProfile, deviceBytes: readonly number[]): number {
  const wire = deviceBytes.map(wireBytes);
  const queued = link.shared ? wire.reduce((sum, bytes) => sum + bytes, 0) : Math.max(...wire);
  return (link.wakeMs + link.delayMs) / 1000 + (8 * queued) / (link.upMbps * 1e6);
}
