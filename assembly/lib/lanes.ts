/** (S_0 + S_1) + (S_2 + S_3): the order in which docs/numbers.md closes every f32 sum. */
// @ts-ignore: decorator
@inline
export function sumLanes(lanes: v128): f32 {
  return (
    f32x4.extract_lane(lanes, 0) +
    f32x4.extract_lane(lanes, 1) +
    (f32x4.extract_lane(lanes, 2) + f32x4.extract_lane(lanes, 3))
  );
}

/** The same of four rows at once: lane r is that of row r. */
// @ts-ignore: decorator
@inline
export function sumLanes4(r0: v128, r1: v128, r2: v128, r3: v128): v128 {
  const low01 = i32x4.shuffle(r0, r1, 0, 4, 1, 5);
  const low23 = i32x4.shuffle(r2, r3, 0, 4, 1, 5);
  const high01 = i32x4.shuffle(r0, r1, 2, 6, 3, 7);
  const high23 = i32x4.shuffle(r2, r3, 2, 6, 3, 7);
  return f32x4.add(
    f32x4.add(i64x2.shuffle(low01, low23, 0, 2), i64x2.shuffle(low01, low23, 1, 3)),
    f32x4.add(i64x2.shuffle(high01, high23, 0, 2), i64x2.shuffle(high01, high23, 1, 3)),
  );
}

/** Lane r is the largest of row r's four int32 lanes. */
// @ts-ignore: decorator
@inline
export function maxLanes4(r0: v128, r1: v128, r2: v128, r3: v128): v128 {
  const first = i32x4.max_s(i32x4.shuffle(r0, r1, 0, 4, 1, 5), i32x4.shuffle(r0, r1, 2, 6, 3, 7));
  const second = i32x4.max_s(i32x4.shuffle(r2, r3, 0, 4, 1, 5), i32x4.shuffle(r2, r3, 2, 6, 3, 7));
  return i32x4.max_s(i64x2.shuffle(first, second, 0, 2), i64x2.shuffle(first, second, 1, 3));
}

/** Stores the columns of a 4x4 of 32-bit lanes, `y` [4][4]. */
// @ts-ignore: decorator
@inline
export function storeColumns(r0: v128, r1: v128, r2: v128, r3: v128, y: usize): void {
  const low01 = i32x4.shuffle(r0, r1, 0, 4, 1, 5);
  const low23 = i32x4.shuffle(r2, r3, 0, 4, 1, 5);
  const high01 = i32x4.shuffle(r0, r1, 2, 6, 3, 7);
  const high23 = i32x4.shuffle(r2, r3, 2, 6, 3, 7);
  v128.store(y, i64x2.shuffle(low01, low23, 0, 2));
  v128.store(y, i64x2.shuffle(low01, low23, 1, 3), 16);
  v128.store(y, i64x2.shuffle(high01, high23, 0, 2), 32);
  v128.store(y, i64x2.shuffle(high01, high23, 1, 3), 48);
}

/** a0 + a1, a2 + a3, b0 + b1, b2 + b3 of int32 lanes. */
// @ts-ignore: decorator
@inline
export function pairSums(a: v128, b: v128): v128 {
  return i32x4.add(i32x4.shuffle(a, b, 0, 2, 4, 6), i32x4.shuffle(a, b, 1, 3, 5, 7));
}
