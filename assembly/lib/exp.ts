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
 * x[i] = exp(f32(x[i]) · scale − shift) in place, s32 to f32, for a row of a multiple of eight values up to `end`; shift is
 * the largest f32(x[i]) · scale. Returns the lanes' sums, each in ascending order. `powers`: as many bytes of scratch as x has.
 * Two passes, because the whole chain of dependent operations is longer than what a core looks ahead: in short ones more
 * vectors overlap (V8, Zen 5: 16.7 against 20.9 us per 25,600).
 */
export function expRow(x: usize, end: usize, scale: v128, shift: v128, powers: usize): v128 {
  reduceRow(x, end, scale, shift, powers);
  const c0 = v128.load(TABLE, 64);
  const c1 = v128.load(TABLE, 80);
  const c2 = v128.load(TABLE, 96);
  const c3 = v128.load(TABLE, 112);
  const c4 = v128.load(TABLE, 128);
  const c5 = v128.load(TABLE, 144);
  const one = v128.load(ONE_F32);
  let sums = f32x4.splat(0);
  do {
    const a = v128.load(x);
    const b = v128.load(x, 16);
    let p = f32x4.add(f32x4.mul(a, c0), c1);
    let q = f32x4.add(f32x4.mul(b, c0), c1);
    p = f32x4.add(f32x4.mul(p, a), c2);
    q = f32x4.add(f32x4.mul(q, b), c2);
    p = f32x4.add(f32x4.mul(p, a), c3);
    q = f32x4.add(f32x4.mul(q, b), c3);
    p = f32x4.add(f32x4.mul(p, a), c4);
    q = f32x4.add(f32x4.mul(q, b), c4);
    p = f32x4.add(f32x4.mul(p, a), c5);
    q = f32x4.add(f32x4.mul(q, b), c5);
    p = f32x4.add(f32x4.mul(p, f32x4.mul(a, a)), a);
    q = f32x4.add(f32x4.mul(q, f32x4.mul(b, b)), b);
    p = i32x4.add(f32x4.add(p, one), v128.load(powers));
    q = i32x4.add(f32x4.add(q, one), v128.load(powers, 16));
    v128.store(x, p);
    v128.store(x, q, 16);
    sums = f32x4.add(f32x4.add(sums, p), q);
    x += 32;
    powers += 32;
  } while (x < end);
  return sums;
}

/**
 * x[i] = f of docs/numbers.md in place, and n << 23 to `powers`. One vector a step: V8's revectorisation (Node 26) ends the
 * process when it meets two.
 */
// @ts-ignore: decorator
@inline
function reduceRow(x: usize, end: usize, scale: v128, shift: v128, powers: usize): void {
  const floor = v128.load(TABLE);
  const log2E = v128.load(TABLE, 16);
  const ln2High = v128.load(TABLE, 32);
  const ln2Low = v128.load(TABLE, 48);
  const magic = v128.load(MAGIC);
  do {
    let a = f32x4.sub(f32x4.mul(f32x4.convert_i32x4_s(v128.load(x)), scale), shift);
    a = f32x4.pmax(a, floor);
    const shifted = f32x4.add(f32x4.mul(a, log2E), magic);
    const n = f32x4.sub(shifted, magic);
    a = f32x4.sub(a, f32x4.mul(n, ln2High));
    v128.store(x, f32x4.sub(a, f32x4.mul(n, ln2Low)));
    v128.store(powers, i32x4.shl(shifted, 23)); // the bits of MAGIC vanish
    x += 16;
    powers += 16;
  } while (x < end);
}
