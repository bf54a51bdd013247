/** Follows an MQTT byte stream from packet to packet and reports one that is too long. */
export class PacketGuard {
  /** Bytes after the fixed header that a packet may have. */
  max: number;
  /** Bytes of the current packet still to come. */
  #rest = 0;
  #inLength = false;
  #length = 0;
  #shift = 0;

  constructor(max: number) {
    this.max = max;
  }

  /**
   * @returns the announced length of the first packet above the limit, as soon as its length field
   *   is complete (or has run past the four bytes MQTT allows); undefined while all is well
   */
  check(chunk: Uint8Array): number | undefined {
    for (let at = 0; at < chunk.length; ) {
      if (this.#rest > 0) {
        const skipped = Math.min(this.#rest, chunk.length - at);
        this.#rest -= skipped;
        at += skipped;
      } else if (this.#inLength) {
        const tooLong = this.#lengthByte(chunk[at++]!);
        if (tooLong !== undefined) return tooLong;
      } else {
        this.#inLength = true;
        this.#length = 0;
        this.#shift = 0;
        at++; // packet type and flags
      }
    }
    return undefined;
  }

  /** MQTT 3.1.1, 2.2.3: seven bits per byte, least significant first, top bit = more follow. */
  #lengthByte(byte: number): number | undefined {
    this.#length += (byte & 127) * 2 ** this.#shift;
    this.#shift += 7;
    const more = (byte & 128) !== 0;
    if (this.#length > this.max || (more && this.#shift === 28)) return this.#length;
    this.#inLength = more;
    if (!more) this.#rest = this.#length;
    return undefined;
  }
}
