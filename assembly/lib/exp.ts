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

/** Four lanes. The bits of MAGIC vanish in the shift by 23, so `shifted` serves as the integer n. */
// @ts-ignore: decorator
@inline
export function expNonPositive4(value: v128): v128 {
  const x = f32x4.pmax(value, v128.load(TABLE, 0));
  const shifted = f32x4.add(f32x4.mul(x, v128.load(TABLE, 16)), v128.load(MAGIC));
  const n = f32x4.sub(shifted, v128.load(MAGIC));
  const f = f32x4.sub(
    f32x4.sub(x, f32x4.mul(n, v128.load(TABLE, 32))),
    f32x4.mul(n, v128.load(TABLE, 48)),
  );
  let p = f32x4.add(f32x4.mul(v128.load(TABLE, 64), f), v128.load(TABLE, 80));
  p = f32x4.add(f32x4.mul(p, f), v128.load(TABLE, 96));
  p = f32x4.add(f32x4.mul(p, f), v128.load(TABLE, 112));
  p = f32x4.add(f32x4.mul(p, f), v128.load(TABLE, 128));
  p = f32x4.add(f32x4.mul(p, f), v128.load(TABLE, 144));
  p = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(f, f)), f), v128.load(ONE_F32));
  return i32x4.add(p, i32x4.shl(shifted, 23));
}
