/** The sample formats of SEG-Y that are read, and the two that are written. Big-endian all. */

/** By the code in the binary header (SEG-Y rev 1, bytes 3225-3226). */
export const sampleFormats: Readonly<Record<number, SampleFormat>> = {
  1: { name: "IBM float", bytes: 4, decode: decodeIbm },
  3: { name: "int16", bytes: 2, decode: (view, at) => view.getInt16(at) },
  5: { name: "IEEE float", bytes: 4, decode: (view, at) => view.getFloat32(at) },
  8: { name: "int8", bytes: 1, decode: (view, at) => view.getInt8(at) },
};

export interface SampleFormat {
  readonly name: string;
  readonly bytes: number;
  /** The value at byte `at`; IBM floats may exceed float32. */
  decode(view: DataView, at: number): number;
}

/** 16^(e - 64) / 2^24 for the exponents 0 to 127: powers of two, so exact. */
const ibmScales = Float64Array.from({ length: 128 }, (_, e) => 2 ** (4 * (e - 64) - 24));

/** Sign, 7 bits of exponent to base 16, 24 bits of fraction. Exact in float64. */
function decodeIbm(view: DataView, at: number): number {
  const word = view.getUint32(at);
  const size = (word & 0xffffff) * ibmScales[(word >>> 24) & 0x7f]!;
  return word >= 0x80000000 ? -size : size;
}

/**
 * The bits of an IBM float: the nearest, ties to the even fraction. A base of 16 leaves 21 to 24
 * bits, so the relative error is at most 2^-21. `value` is a finite float32.
 */
export function encodeIbm(value: number): number {
  const size = Math.abs(value);
  if (size === 0) return 0;
  // Smallest e with size < 16^e. log2 may err by one at a power of 16: then the fraction tells.
  let exponent = Math.floor(Math.log2(size) / 4) + 1;
  let fraction = size * 2 ** (24 - 4 * exponent);
  if (fraction < 2 ** 20) {
    exponent--;
    fraction *= 16;
  }
  fraction = roundHalfEven(fraction);
  if (fraction >= 2 ** 24) {
    exponent++;
    fraction = roundHalfEven(fraction / 16);
  }
  const sign = value < 0 ? 0x80000000 : 0;
  return sign + (exponent + 64) * 2 ** 24 + fraction;
}

function roundHalfEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}
