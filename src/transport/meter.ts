/** Bytes of one TCP segment that are not the application's: Ethernet 14, IPv4 20, TCP with timestamps 32. */
const SEGMENT_HEADER_BYTES = 66;
/** Application bytes of a full segment at an MTU of 1500. */
const SEGMENT_DATA_BYTES = 1448;
/** SYN, SYN-ACK, ACK and FIN, ACK, FIN, ACK. */
const SEGMENTS_PER_CONNECTION = 7;

/** Traffic of one client over all its connections, as the broker sees it. */
export interface LinkBytes {
  /** Latent codes received in frames on latent topics. */
  payload: number;
  /** Those frames whole: header, payload, checksum. */
  frames: number;
  frameCount: number;
  /** MQTT packets from and to the client, inside TLS if there is any: exact. */
  mqttIn: number;
  mqttOut: number;
  /** Estimate of the bytes on the wire, both ways; docs/protocol.md "Bytes" says how. */
  wire: number;
  connections: number;
}

/** Counts what passes one client's sockets. */
export class LinkMeter {
  payload = 0;
  frames = 0;
  frameCount = 0;
  mqttIn = 0;
  mqttOut = 0;
  #connections = 0;
  #dataSegments = 0;

  opened(): void {
    this.#connections++;
  }

  received(bytes: number): void {
    this.mqttIn += bytes;
    this.#dataSegments += Math.ceil(bytes / SEGMENT_DATA_BYTES);
  }

  sent(bytes: number): void {
    this.mqttOut += bytes;
    this.#dataSegments += Math.ceil(bytes / SEGMENT_DATA_BYTES);
  }

  /** Moves the counts of `other` in here: a connection's first bytes come before its client id. */
  absorb(other: LinkMeter): void {
    this.payload += other.payload;
    this.frames += other.frames;
    this.frameCount += other.frameCount;
    this.mqttIn += other.mqttIn;
    this.mqttOut += other.mqttOut;
    this.#connections += other.#connections;
    this.#dataSegments += other.#dataSegments;
  }

  snapshot(): LinkBytes {
    const acknowledgements = Math.ceil(this.#dataSegments / 2);
    const segments =
      this.#dataSegments + acknowledgements + SEGMENTS_PER_CONNECTION * this.#connections;
    const { payload, frames, frameCount, mqttIn, mqttOut } = this;
    const wire = mqttIn + mqttOut + SEGMENT_HEADER_BYTES * segments;
    return { payload, frames, frameCount, mqttIn, mqttOut, wire, connections: this.#connections };
  }
}
