import type { Direction, LinkProfile } from "./links.ts";

/** Ethernet 14, IPv4 20, TCP with timestamps 32: what a segment carries besides data. */
export const SEGMENT_HEADER_BYTES = 66;
/** Data of a full segment at an MTU of 1500. */
export const SEGMENT_DATA_BYTES = 1448;
/** Linux waits at least this long before it sends the last segment of a burst again. */
const RETRANSMIT_MIN_MS = 200;
/** Segments that must follow a lost one for TCP to notice at once (RFC 5681). */
const DUPLICATE_ACKS = 3;

/** When a channel is free again. Directions that share a medium share one of these. */
export interface Channel {
  freeAtMs: number;
}

/**
 * One direction of a link, for TCP segments: rate, delay, jitter without reordering, outages, and loss as
 * the time that TCP takes to repair it. It keeps no clock: the caller says what time it is.
 * Not modelled: slow start and the smaller window after a loss, which would slow long transfers more.
 */
export class LinkShaper {
  readonly #direction: Direction;
  readonly #channel: Channel;
  readonly #outage: LinkProfile["outage"];
  readonly #random: () => number;
  #lastArrivalMs = 0;

  /** @param random in [0, 1) */
  constructor(
    direction: Direction,
    channel: Channel,
    random: () => number,
    outage?: LinkProfile["outage"],
  ) {
    this.#direction = direction;
    this.#channel = channel;
    this.#random = random;
    this.#outage = outage;
  }

  /**
   * Takes a segment that is ready at `nowMs`.
   * @param bytes of data in it
   * @param following segments of the same burst behind it
   * @returns when its data can be read at the other end
   */
  send(bytes: number, nowMs: number, following = 0): number {
    const { delayMs, jitterMs, loss } = this.#direction;
    const roundTripMs = 2 * delayMs + jitterMs;
    const repairMs =
      following >= DUPLICATE_ACKS ? roundTripMs : Math.max(RETRANSMIT_MIN_MS, 2 * roundTripMs);
    let sentMs = this.#occupy(bytes, nowMs);
    // The timer doubles with each loss of the same segment.
    for (let wait = repairMs; this.#random() < loss; wait *= 2) {
      sentMs += wait;
      this.#channel.freeAtMs += this.#airtimeMs(bytes);
    }
    const arrivalMs = sentMs + delayMs + jitterMs * this.#random();
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, arrivalMs);
    return this.#lastArrivalMs;
  }

  /**
   * Takes a whole packet, headers included, that is ready at `nowMs`; repairing a loss is up to the TCP that sent it.
   * @param queueMs how long a packet may wait for the channel before it is dropped
   * @returns when it arrives; undefined when it is lost
   */
  pass(bytes: number, nowMs: number, queueMs: number): number | undefined {
    const { delayMs, jitterMs, loss } = this.#direction;
    if (this.#channel.freeAtMs - nowMs > queueMs) return undefined;
    const sentMs = this.#occupy(bytes - SEGMENT_HEADER_BYTES, nowMs);
    if (this.#random() < loss) return undefined;
    const arrivalMs = sentMs + delayMs + jitterMs * this.#random();
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, arrivalMs);
    return this.#lastArrivalMs;
  }

  /** When the segment has left. */
  #occupy(bytes: number, nowMs: number): number {
    const start = this.#afterOutage(Math.max(nowMs, this.#channel.freeAtMs));
    this.#channel.freeAtMs = start + this.#airtimeMs(bytes);
    return this.#channel.freeAtMs;
  }

  #airtimeMs(bytes: number): number {
    return ((bytes + SEGMENT_HEADER_BYTES) * 8000) / this.#direction.bitsPerSecond;
  }

  #afterOutage(timeMs: number): number {
    if (this.#outage === undefined) return timeMs;
    const everyMs = this.#outage.everyS * 1000;
    const phase = timeMs % everyMs;
    return phase < everyMs - this.#outage.lastsS * 1000 ? timeMs : timeMs - phase + everyMs;
  }
}
