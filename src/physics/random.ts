/**
 * Random numbers and elementary functions that give the same bits on every engine.
 *
 * Engines may differ in the last bit of Math.sin, exp, log and pow, so only + - * /, Math.sqrt,
 * Math.floor and 32-bit integer operations are used here.
 */

/**
 * Generator xoshiro128** 1.1 (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", 2021), seeded by mixing a name and integers.
 */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  /** The four words of the generator's state, not all zero. */
  constructor(a: number, b: number, c: number, d: number) {
    this.a = a | 0;
    this.b = b | 0;
    this.c = c | 0;
    this.d = d | 0;
  }

  /**
   * The stream that belongs to a name and some integers; other names or integers give a stream
   * that shares nothing with it.
   * @param name what the stream is for, e.g. a family
   * @param keys non-negative integers below 2^32, e.g. seed and index
   */
  static of(name: string, ...keys: number[]): Random {
    let hash = 0x811c9dc5;
    for (let i = 0; i < name.length; i++) {
      hash = mix(Math.imul(hash ^ name.charCodeAt(i), 0x01000193));
    }
    for (const key of keys) hash = mix((hash + 0x9e3779b9) ^ mix(key >>> 0));
    // A second hash of the same input: 64 bits of state keep distinct inputs apart.
    let second = mix(hash ^ 0x5bd1e995);
    for (const key of keys) second = mix((second ^ 0x85ebca6b) + mix((key >>> 0) ^ 0xc2b2ae35));
    // An odd last word: never the all-zero state.
    return new Random(hash, second, mix(hash + 0x9e3779b9), mix(second + 0x3c6ef372) | 1);
  }

  /** Next 32 bits as an unsigned integer. */
  bits(): number {
    const scrambled = Math.imul(rotateLeft(Math.imul(this.b, 5), 7), 9);
    const shifted = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= shifted;
    this.d = rotateLeft(this.d, 11);
    return scrambled >>> 0;
  }

  /** Uniform in [low, high), 32 bits fine. */
  uniform(low: number, high: number): number {
    return low + (high - low) * (this.bits() / 4294967296);
  }

  /** Uniform integer in low..high, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor((high - low + 1) * (this.bits() / 4294967296));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uniform(0, 1) < probability;
  }

  /** Near-normal, mean 0 and deviation 1: twelve uniforms summed, so within -6..6. */
  normal(): number {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += this.bits() / 4294967296;
    return sum;
  }
}

/** sin(2 pi turns), error below 1e-7 (odd Taylor polynomial of degree 11 on a quarter turn). */
export function sinTurns(turns: number): number {
  const whole = turns - Math.floor(turns);
  // Fold [0, 1) to a quarter turn on either side of zero, where the series converges fast.
  const folded = whole < 0.25 ? whole : whole < 0.75 ? 0.5 - whole : whole - 1;
  const x = folded * 6.283185307179586;
  const y = x * x;
  const tail = 1 / 362880 - y / 39916800;
  return x * (1 - y * (1 / 6 - y * (1 / 120 - y * (1 / 5040 - y * tail))));
}

/** cos(2 pi turns), error as in {@link sinTurns}. */
export function cosTurns(turns: number): number {
  return sinTurns(turns + 0.25);
}

/** Bijective 32-bit finaliser of MurmurHash3 (Appleby, public domain). */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function rotateLeft(value: number, count: number): number {
  return (value << count) | (value >>> (32 - count));
}
