const EXPONENT: u32 = 0x7f800000;

/**
 * Index of the first of n f32 that is NaN or infinite, or -1: those whose exponent bits are all ones.
 * x  f32 [n], 16-byte aligned; read only
 * Sixteen values a step; the step that holds one is searched again. Tail: one by one.
 * Twin: reference/find_nonfinite_f32.ts. Checked in: src/edge.
 */
export function find_nonfinite_f32(x: usize, n: i32): i32 {
  const mask = i32x4.splat(EXPONENT);
  const whole = n & ~15;
  let i = 0;
  for (; i < whole; i += 16) {
    const at = x + (<usize>i << 2);
    const a = i32x4.eq(v128.and(v128.load(at), mask), mask);
    const b = i32x4.eq(v128.and(v128.load(at, 16), mask), mask);
    const c = i32x4.eq(v128.and(v128.load(at, 32), mask), mask);
    const d = i32x4.eq(v128.and(v128.load(at, 48), mask), mask);
    if (v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) break;
  }
  for (; i < n; i++) {
    if ((load<u32>(x + (<usize>i << 2)) & EXPONENT) == EXPONENT) return i;
  }
  return -1;
}
