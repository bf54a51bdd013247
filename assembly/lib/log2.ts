import { ONE_F32 } from "./vectors";

/**
 * log2(1 + u) on [0, 1) as ((((((C6·u + C5)·u + C4)·u + C3)·u + C2)·u + C1)·u.
 * u + u·(1 − u)·q(u), q a minimax polynomial of degree 4: exact at 0, worst absolute error 2.4e-6 over all 2^23
 * mantissas in f32, 1 − 2^-23 at the last one. The same numbers stand in train/integer.py.
 */
export const LOG2_C1: f32 = 1.442544937133789;
export const LOG2_C2: f32 = -0.7181452512741089;
export const LOG2_C3: f32 = 0.45754918456077576;
export const LOG2_C4: f32 = -0.27790534496307373;
export const LOG2_C5: f32 = 0.12179791182279587;
export const LOG2_C6: f32 = -0.025841450318694115;

/** log2(a) for a >= 1; an infinite a gives 128. */
export function log2FromOne(a: f32): f32 {
  const bits = reinterpret<i32>(a);
  const exponent = (bits >> 23) - 127;
  const u = reinterpret<f32>((bits & 0x7fffff) | 0x3f800000) - <f32>1.0;
  let p = LOG2_C6 * u + LOG2_C5;
  p = p * u + LOG2_C4;
  p = p * u + LOG2_C3;
  p = p * u + LOG2_C2;
  p = p * u + LOG2_C1;
  return p * u + <f32>exponent;
}

const TABLE: usize = memory.data<f32>([
  LOG2_C6, LOG2_C6, LOG2_C6, LOG2_C6,
  LOG2_C5, LOG2_C5, LOG2_C5, LOG2_C5,
  LOG2_C4, LOG2_C4, LOG2_C4, LOG2_C4,
  LOG2_C3, LOG2_C3, LOG2_C3, LOG2_C3,
  LOG2_C2, LOG2_C2, LOG2_C2, LOG2_C2,
  LOG2_C1, LOG2_C1, LOG2_C1, LOG2_C1,
], 16);

const MANTISSA: usize = memory.data<i32>([0x7fffff, 0x7fffff, 0x7fffff, 0x7fffff], 16);

/** Four lanes. */
// @ts-ignore: decorator
@inline
export function log2FromOne4(a: v128): v128 {
  const one = v128.load(ONE_F32);
  const exponent = i32x4.shr_s(i32x4.sub(a, one), 23); // the bits of 1.0 hold the exponent bias and nothing else
  const u = f32x4.sub(v128.or(v128.and(a, v128.load(MANTISSA)), one), one);
  let p = f32x4.add(f32x4.mul(v128.load(TABLE, 0), u), v128.load(TABLE, 16));
  p = f32x4.add(f32x4.mul(p, u), v128.load(TABLE, 32));
  p = f32x4.add(f32x4.mul(p, u), v128.load(TABLE, 48));
  p = f32x4.add(f32x4.mul(p, u), v128.load(TABLE, 64));
  p = f32x4.add(f32x4.mul(p, u), v128.load(TABLE, 80));
  return f32x4.add(f32x4.mul(p, u), f32x4.convert_i32x4_s(exponent));
}
