import { elementShift } from "../lib/outKind";
import { storeSum } from "../lib/store";

/** Scalar twin of kernels/conv1d_pairs_s16.ts, the same arguments and bits, one pair and channel at a time; no scratch. */
export function conv1d_pairs_s16(
  a: usize,
  aBytes: usize,
  aOff: usize,
  pairs: i32,
  half: usize,
  rest: usize,
  b: usize,
  bias: usize,
  scale: usize,
  c: usize,
  cOff: usize,
  n: i32,
  outKind: i32,
  lo: i32,
  hi: i32,
  scratch: usize,
): void {
  const shift = elementShift(outKind);
  const tableBytes = <usize>pairs << 2;
  const panel = (3 * half + 2 * rest) << 3;
  for (let o: usize = 0; o < <usize>n; o++) {
    const w = b + (o >> 3) * panel + ((o & 7) << 2);
    const wFirst = w + (half << 3);
    const wSecond = wFirst + ((half + rest) << 3);
    const factor = load<f32>(scale + (o << 2));
    for (let p: usize = 0; p < tableBytes; p += 4) {
      const x = a + <usize>load<u32>(aOff + p);
      const shared = load<i32>(bias + (o << 2)) + dot(x + half, half, w);
      const first = differenceDot(x, half, wFirst) + dot(x + 2 * half, rest, wFirst + (half << 3));
      const second = differenceDot(x + half, half, wSecond) + dot(x + 3 * half, rest, wSecond + (half << 3));
      const y = c + (o << shift);
      storeSum(y + <usize>load<u32>(cOff + p), shared + first, factor, outKind, lo, hi);
      storeSum(y + <usize>load<u32>(cOff + tableBytes + p), shared + second, factor, outKind, lo, hi);
    }
  }
}

/** Σ x · w over `bytes` bytes of x; w is one channel of a panel. */
function dot(x: usize, bytes: usize, w: usize): i32 {
  let sum: i32 = 0;
  for (const end = x + bytes; x < end; x += 4) {
    sum += <i32>load<i16>(x) * <i32>load<i16>(w) + <i32>load<i16>(x, 2) * <i32>load<i16>(w, 2);
    w += 32;
  }
  return sum;
}

/** Σ (x − x[bytes on]) · w. */
function differenceDot(x: usize, bytes: usize, w: usize): i32 {
  return dot(x, bytes, w) - dot(x + bytes, bytes, w);
}

/**
 * Scalar twin of kernels/pack_conv1d_pairs.ts, the same arguments and bits.
 */
export function pack_conv1d_pairs(w: usize, n: i32, half: usize, rest: usize, b: usize): void {
  for (let o: usize = 0; o < <usize>n; o++) {
    let channel = b + (o >> 3) * ((3 * half + 2 * rest) << 4) + ((o & 7) << 2);
    for (let run = 0; run < 5; run++) {
      const isLast = run == 2 || run == 4;
      const length = isLast ? rest : half;
      const first = isLast ? w + 2 * half : w;
      const own = run == 3 ? 0 : 1;
      const other = run == 0 ? 1 : run == 3 ? -1 : 0;
      for (let k: usize = 0; k < length; k++) {
        // Where `other` is 0 this may read past the weights: memory, and of no consequence.
        const value = own * <i32>load<i8>(first + k) + other * <i32>load<i8>(first + half + k);
        store<i16>(channel + ((k & 1) << 1), value);
        channel += (k & 1) << 5;
      }
    }
    w += 2 * half + rest;
  }
}
