const LARGEST_TWICE: u32 = 0xff000000;

/**
 * Index of the first of n f32 that is NaN or infinite, or -1: those whose exponent bits are all ones.
 * x  f32 [n], 16-byte aligned; read only
 * Without its sign, the bits of a value grow with it, so one maximum of all answers for the common case; where it says
 * that there is one, a scalar search finds the first. Twin: reference/find_nonfinite_f32.ts. Checked in: src/edge.
 */
export function find_nonfinite_f32(x: usize, n: i32): i32 {
  let a = i32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  let p = x;
  const end = x + (<usize>n << 2);
  for (const whole = x + (<usize>(n & ~15) << 2); p < whole; p += 64) {
    a = i32x4.max_u(a, i32x4.shl(v128.load(p), 1));
    b = i32x4.max_u(b, i32x4.shl(v128.load(p, 16), 1));
    c = i32x4.max_u(c, i32x4.shl(v128.load(p, 32), 1));
    d = i32x4.max_u(d, i32x4.shl(v128.load(p, 48), 1));
  }
  const largest = i32x4.max_u(i32x4.max_u(a, b), i32x4.max_u(c, d));
  if (v128.any_true(i32x4.ge_u(largest, i32x4.splat(LARGEST_TWICE)))) p = x;
  for (; p < end; p += 4) {
    if (load<u32>(p) << 1 >= LARGEST_TWICE) return <i32>((p - x) >> 2);
  }
  return -1;
}
