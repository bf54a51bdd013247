/**
 * Largest sum of weights of one sign that igemm_u7_sum4 adds up in one lane: per channel, of those at 8j + 2h, 8j + 2h + 1,
 * 8j + 2h + 4 and 8j + 2h + 5 (h = 0, 1) of a panel's k.
 * b  s8  [n/8][K/4][8][4], packed by pack_igemm_u7; -127..127; bytes a multiple of 64
 * Twin: reference/largest_sum4.ts. Checked in: src/model.
 */
export function largest_sum4(b: usize, bytes: i32): i32 {
  const zero = i32x4.splat(0);
  let largest = zero;
  for (const end = b + <usize>bytes; b < end; b += 64) {
    for (let half: usize = 0; half < 32; half += 16) {
      const first = v128.load(b + half);
      const second = v128.load(b + half, 32);
      const above = i16x8.add(pairs(i8x16.max_s(first, zero)), pairs(i8x16.max_s(second, zero)));
      const below = i16x8.add(pairs(i8x16.min_s(first, zero)), pairs(i8x16.min_s(second, zero)));
      largest = i16x8.max_s(largest, i16x8.max_s(above, i16x8.neg(below)));
    }
  }
  largest = i16x8.max_s(largest, i64x2.shuffle(largest, largest, 1, 0));
  largest = i16x8.max_s(largest, i32x4.shuffle(largest, largest, 1, 0, 3, 2));
  return max(i16x8.extract_lane_s(largest, 0), i16x8.extract_lane_s(largest, 1));
}

// @ts-ignore: decorator
@inline
function pairs(x: v128): v128 {
  return i16x8.extadd_pairwise_i8x16_s(x);
}
