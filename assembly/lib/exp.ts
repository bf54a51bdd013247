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
 * the largest f32(x[i]) · scale. Returns the lanes' sums, each in ascending order.
 * Two vectors go through the chain side by side: one alone waits for its own results (V8: 35 against 31 µs per 25,600).
 */
export function expRow(x: usize, end: usize, scale: v128, shift: v128): v128 {
  let sums = f32x4.splat(0);
  do {
    let a = f32x4.sub(f32x4.mul(f32x4.convert_i32x4_s(v128.load(x)), scale), shift);
    let b = f32x4.sub(f32x4.mul(f32x4.convert_i32x4_s(v128.load(x, 16)), scale), shift);
    let k = v128.load(TABLE);
    a = f32x4.pmax(a, k);
    b = f32x4.pmax(b, k);
    k = v128.load(TABLE, 16);
    const magic = v128.load(MAGIC);
    const aShifted = f32x4.add(f32x4.mul(a, k), magic); // the bits of MAGIC vanish in the shift by 23 below
    const bShifted = f32x4.add(f32x4.mul(b, k), magic);
    const aN = f32x4.sub(aShifted, magic);
    const bN = f32x4.sub(bShifted, magic);
    k = v128.load(TABLE, 32);
    a = f32x4.sub(a, f32x4.mul(aN, k));
    b = f32x4.sub(b, f32x4.mul(bN, k));
    k = v128.load(TABLE, 48);
    a = f32x4.sub(a, f32x4.mul(aN, k));
    b = f32x4.sub(b, f32x4.mul(bN, k));
    k = v128.load(TABLE, 64);
    const next = v128.load(TABLE, 80);
    let p = f32x4.add(f32x4.mul(k, a), next);
    let q = f32x4.add(f32x4.mul(k, b), next);
    k = v128.load(TABLE, 96);
    p = f32x4.add(f32x4.mul(p, a), k);
    q = f32x4.add(f32x4.mul(q, b), k);
    k = v128.load(TABLE, 112);
    p = f32x4.add(f32x4.mul(p, a), k);
    q = f32x4.add(f32x4.mul(q, b), k);
    k = v128.load(TABLE, 128);
    p = f32x4.add(f32x4.mul(p, a), k);
    q = f32x4.add(f32x4.mul(q, b), k);
    k = v128.load(TABLE, 144);
    p = f32x4.add(f32x4.mul(p, a), k);
    q = f32x4.add(f32x4.mul(q, b), k);
    p = f32x4.add(f32x4.mul(p, f32x4.mul(a, a)), a);
    q = f32x4.add(f32x4.mul(q, f32x4.mul(b, b)), b);
    k = v128.load(ONE_F32);
    p = i32x4.add(f32x4.add(p, k), i32x4.shl(aShifted, 23));
    q = i32x4.add(f32x4.add(q, k), i32x4.shl(bShifted, 23));
    v128.store(x, p);
    v128.store(x, q, 16);
    sums = f32x4.add(f32x4.add(sums, p), q);
    x += 32;
  } while (x < end);
  return sums;
}
