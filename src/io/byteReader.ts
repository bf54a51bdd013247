/** Reads a byte sequence front to back. Every method throws RangeError past the end. */
export class ByteReader {
  /** Offset of the next byte. */
  position = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.position;
  }

  byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  skip(count: number): void {
    this.#take(count);
  }

  /** Little-endian. */
  u32(): number {
    const at = this.#take(4);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, 4).getUint32(0, true);
  }

  /** An unsigned LEB128 of up to 32 bits. */
  leb(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError(`expected a LEB128 of at most 5 bytes, got more at byte ${this.position}`);
  }

  /** Passes over one LEB128 of any width. */
  skipLeb(): void {
    while (this.byte() >= 0x80);
  }

  text(bytes: number): string {
    const at = this.#take(bytes);
    return new TextDecoder().decode(this.#bytes.subarray(at, at + bytes));
  }

  /** A reader of the next `count` bytes, which this one passes over. */
  part(count: number): ByteReader {
    const at = this.#take(count);
    return new ByteReader(this.#bytes.subarray(at, at + count));
  }

  /** Calls `read` as often as the leading LEB128 says. */
  repeat(read: () => unknown): void {
    for (let left = this.leb(); left > 0; left--) read();
  }

  #take(count: number): number {
    const at = this.position;
    if (count > this.left) {
      throw new RangeError(`expected ${count} more bytes at byte ${at}, got ${this.left}`);
    }
    this.position += count;
    return at;
  }
}
