/** How long a record takes over a link, by the usual sum: wake-up, distance, bytes over rate. */

export interface LinkProfile {
  readonly name: string;
  readonly label: string;
  /** From a device to the central node. */
  readonly upMbps: number;
  /** One way. */
  readonly delayMs: number;
  /** Of a radio that was asleep. */
  readonly wakeMs: number;
}

/**
 * Assumed figures of typical links. LTE: the medians and the promotion delay of Huang et al., "A close
 * examination of performance and power characteristics of 4G LTE networks" (MobiSys 2012).
 */
export const LINKS: readonly LinkProfile[] = [
  { name: "wifi", label: "Wi-Fi, good", upMbps: 50, delayMs: 3, wakeMs: 0 },
  { name: "wifi-bad", label: "Wi-Fi, poor", upMbps: 5, delayMs: 20, wakeMs: 0 },
  { name: "4g", label: "4G", upMbps: 6, delayMs: 35, wakeMs: 260 },
  { name: "4g-edge", label: "4G, edge of the cell", upMbps: 1, delayMs: 120, wakeMs: 260 },
  { name: "nbiot", label: "NB-IoT", upMbps: 0.06, delayMs: 1500, wakeMs: 0 },
];

/** Ethernet, IPv4 and TCP with timestamps; docs/protocol.md, "Bytes". */
const SEGMENT_HEADER_BYTES = 66;
const SEGMENT_DATA_BYTES = 1448;

/** Bytes on the wire of `bytes` in full TCP segments, acknowledgements included. */
export function wireBytes(bytes: number): number {
  const segments = Math.ceil(bytes / SEGMENT_DATA_BYTES);
  return bytes + SEGMENT_HEADER_BYTES * (segments + Math.ceil(segments / 2));
}

/** Seconds until the last of `bytes` is at the other end. Each device has a link of its own. */
export function transferSeconds(link: LinkProfile, bytes: number): number {
  return (link.wakeMs + link.delayMs) / 1000 + (8 * wireBytes(bytes)) / (link.upMbps * 1e6);
}
