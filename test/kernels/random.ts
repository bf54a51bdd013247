/** Seeded random inputs: mulberry32 (T. Ettinger), enough for test data. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** Integer in [lo, hi]. */
  integer(lo: number, hi: number): number {
    return lo + Math.floor(this.next() * (hi - lo + 1));
  }

  int8(length: number, lo: number, hi: number): Int8Array {
    return Int8Array.from({ length }, () => this.integer(lo, hi));
  }

  int16(length: number, lo: number, hi: number): Int16Array {
    return Int16Array.from({ length }, () => this.integer(lo, hi));
  }

  int32(length: number, lo: number, hi: number): Int32Array {
    return Int32Array.from({ length }, () => this.integer(lo, hi));
  }

  float32(length: number, lo: number, hi: number): Float32Array {
    return Float32Array.from({ length }, () => lo + this.next() * (hi - lo));
  }
}
