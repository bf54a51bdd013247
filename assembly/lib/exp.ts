import { MAGIC, ONE_F32 } from "./vectors";
import { ROUND_MAGIC } from "./round";

/*
 * exp(x) for x <= 0; anything below -30 counts as -30, so no result is subnormal. Relative error 1e-7.
 * Coefficients: Cephes expf (S. Moshier), http://www.netlib.org/cephes/. Order of operations: docs/numbers.md.
 */
const FLOOR: f32 = -30.0;
const LOG2_E: f32 = 1.44269504;
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440e-4;
const P0: f32 = 1.9875691500e-4;
const P1: f32 = 1.3981999507e-3;
const P2: f32 = 8.3334519073e-3;
const P3: f32 = 4.1665795894e-2;
const P4: f32 = 1.6666665459e-1;
const P5: f32 = 5.0000001201e-1;

/** Scalar form. */
export function expNonPositive(value: f32): f32 {
  const x = value > FLOOR ? value : FLOOR;
  const shifted = x * LOG2_E + ROUND_MAGIC;
  const n = shifted - ROUND_MAGIC;
  const f = x - n * LN2_HIGH - n * LN2_LOW;
  let p = P0;
  p = p * f + P1;
  p = p * f + P2;
  p = p * f + P3;
  p = p * f + P4;
  p = p * f + P5;
  p = p * (f * f) + f + <f32>1.0;
  return reinterpret<f32>(reinterpret<i32>(p) + (reinterpret<i32>(shifted) << 23));
}

/** The constants above, four times each, in the order of use. */
const TABLE: usize = memory.data<f32>([
  -30.0, -30.0, -30.0, -30.0,
  1.44269504, 1.44269504, 1.44269504, 1.44269504,
  0.693359375, 0.693359375, 0.693359375, 0.693359375,
  -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, -2.12194440e-4,
  1.9875691500e-4, 1.9875691500e-4, 1.9875691500e-4, 1.9875691500e-4,
  1.3981999507e-3, 1.3981999507e-3, 1.3981999507e-3, 1.3981999507e-3,
  8.3334519073e-3, 8.3334519073e-3, 8.3334519073e-3, 8.3334519073e-3,
  4.1665795894e-2, 4.1665795894e-2, 4.1665795894e-2, 4.1665795894e-2,
  1.6666665459e-1, 1.6666665459e-1, 1.6666665459e-1, 1.6666665459e-1,
  5.0000001201e-1, 5.0000001201e-1, 5.0000001201e-1, 5.0000001201e-1,
], 16);

/**
 * x[i] = exp(f32(x[i]) · scale − shift of its row) in place, s32 to f32, for four rows that lie eight values of each side by
 * side: [n/8][4][8] up to `end`. The largest value of every row gives 0.
 * shifts    f32  [4]
 * powers    scratch of x's size
 * partial   scratch of x's size
 * sums      f32  [4][4]: of each row the sums of its four lanes, in ascending order
 * Three passes, because engines order the operations of one vector behind each other and the whole chain of them is longer than
 * what a core looks ahead: in short ones more vectors overlap (V8, Zen 4, attention of 80 queries and keys: two passes 66.9, three
 * 64.1 us in Node 26).
 * No function here takes a v128: V8's revectorisation (Node 26) ends the process when it would pair one.
 */
export function expRows(
  x: usize,
  end: usize,
  scale: f32,
  shifts: usize,
  powers: usize,
  partial: usize,
  sums: usize,
): void {
  reducePair(x, end, scale, shifts, powers);
  reducePair(x + 64, end, scale, shifts + 8, powers + 64);
  beginPolynomials(x, end, partial);
  finishPair(x, end, powers, partial, sums);
  finishPair(x + 64, end, powers + 64, partial + 64, sums + 32);
}

/** x[i] = f of docs/numbers.md in place, and n << 23 to `powers`, for two of the four rows. */
function reducePair(x: usize, end: usize, scale: f32, shifts: usize, powers: usize): void {
  const scales = f32x4.splat(scale);
  const first = v128.load32_splat(shifts);
  const second = v128.load32_splat(shifts, 4);
  do {
    const floor = v128.load(TABLE);
    const a = difference(v128.load(x), scales, first, floor);
    const b = difference(v128.load(x, 16), scales, first, floor);
    const c = difference(v128.load(x, 32), scales, second, floor);
    const d = difference(v128.load(x, 48), scales, second, floor);
    const log2E = v128.load(TABLE, 16);
    const magic = v128.load(MAGIC);
    const na = f32x4.add(f32x4.mul(a, log2E), magic);
    const nb = f32x4.add(f32x4.mul(b, log2E), magic);
    const nc = f32x4.add(f32x4.mul(c, log2E), magic);
    const nd = f32x4.add(f32x4.mul(d, log2E), magic);
    v128.store(powers, i32x4.shl(na, 23)); // the bits of MAGIC vanish
    v128.store(powers, i32x4.shl(nb, 23), 16);
    v128.store(powers, i32x4.shl(nc, 23), 32);
    v128.store(powers, i32x4.shl(nd, 23), 48);
    const high = v128.load(TABLE, 32);
    const low = v128.load(TABLE, 48);
    v128.store(x, remainder(a, f32x4.sub(na, magic), high, low));
    v128.store(x, remainder(b, f32x4.sub(nb, magic), high, low), 16);
    v128.store(x, remainder(c, f32x4.sub(nc, magic), high, low), 32);
    v128.store(x, remainder(d, f32x4.sub(nd, magic), high, low), 48);
    x += 128;
    powers += 128;
  } while (x < end);
}

// @ts-ignore: decorator
@inline
function difference(x: v128, scale: v128, shift: v128, floor: v128): v128 {
  return f32x4.pmax(f32x4.sub(f32x4.mul(f32x4.convert_i32x4_s(x), scale), shift), floor);
}

// @ts-ignore: decorator
@inline
function remainder(x: v128, n: v128, high: v128, low: v128): v128 {
  return f32x4.sub(f32x4.sub(x, f32x4.mul(n, high)), f32x4.mul(n, low));
}

/** The first three steps of f's polynomial, to `partial`. */
function beginPolynomials(f: usize, end: usize, partial: usize): void {
  const c0 = v128.load(TABLE, 64);
  const c1 = v128.load(TABLE, 80);
  const c2 = v128.load(TABLE, 96);
  const c3 = v128.load(TABLE, 112);
  do {
    const a = v128.load(f);
    const b = v128.load(f, 16);
    const p = f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(a, c0), c1), a), c2);
    const q = f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(b, c0), c1), b), c2);
    v128.store(partial, f32x4.add(f32x4.mul(p, a), c3));
    v128.store(partial, f32x4.add(f32x4.mul(q, b), c3), 16);
    f += 32;
    partial += 32;
  } while (f < end);
}

/** f = exp in place for two of the four rows, and the sums of their lanes. */
function finishPair(f: usize, end: usize, powers: usize, partial: usize, sums: usize): void {
  const c4 = v128.load(TABLE, 128);
  const c5 = v128.load(TABLE, 144);
  const one = v128.load(ONE_F32);
  let first = f32x4.splat(0);
  let second = first;
  do {
    const a = finish(v128.load(f), v128.load(partial), v128.load(powers), c4, c5, one);
    const b = finish(v128.load(f, 16), v128.load(partial, 16), v128.load(powers, 16), c4, c5, one);
    const c = finish(v128.load(f, 32), v128.load(partial, 32), v128.load(powers, 32), c4, c5, one);
    const d = finish(v128.load(f, 48), v128.load(partial, 48), v128.load(powers, 48), c4, c5, one);
    v128.store(f, a);
    v128.store(f, b, 16);
    v128.store(f, c, 32);
    v128.store(f, d, 48);
    first = f32x4.add(f32x4.add(first, a), b);
    second = f32x4.add(f32x4.add(second, c), d);
    f += 128;
    powers += 128;
    partial += 128;
  } while (f < end);
  v128.store(sums, first);
  v128.store(sums, second, 16);
}

// @ts-ignore: decorator
@inline
function finish(f: v128, p: v128, power: v128, c4: v128, c5: v128, one: v128): v128 {
  p = f32x4.add(f32x4.mul(p, f), c4);
  p = f32x4.add(f32x4.mul(p, f), c5);
  p = f32x4.add(f32x4.mul(p, f32x4.mul(f, f)), f);
  return i32x4.add(f32x4.add(p, one), power);
}
