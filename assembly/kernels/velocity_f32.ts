import { velocity_f32 as velocityTail } from "../reference/velocity_f32";

/**
 * y[i] = min(max(x[i][0], lo), hi): column 0 of rows of eight f32, the last convolution's only real channel.
 * x  f32  [n][8], no NaN;  y  f32 [n]. Twin: reference/velocity_f32.ts, which also takes the last n mod 4 rows.
 */
export function velocity_f32(x: usize, n: i32, lo: f32, hi: f32, y: usize): void {
  const low = f32x4.splat(lo);
  const high = f32x4.splat(hi);
  for (; n >= 4; n -= 4) {
    let column = v128.load32_zero(x);
    column = v128.load32_lane(x, column, 1, 32);
    column = v128.load32_lane(x, column, 2, 64);
    column = v128.load32_lane(x, column, 3, 96);
    v128.store(y, f32x4.pmin(f32x4.pmax(column, low), high));
    x += 128;
    y += 16;
  }
  velocityTail(x, n, lo, hi, y);
}
