/**
 * Weights of winograd3x3_s16 and winograd2x2_s16: U = G w Gᵀ per pair of channels, to [positions][n/8][channels/2][8][2],
 * eight channels of one output at a time.
 * w      s8   [n][taps][taps][channels], −127..127; taps 3 or 2
 * b      s16  36 or 16 planes of n·channels values, written whole
 * n and channels are multiples of 8. All sums fit s16: 12·12·127 at most. Runs once, when a model is loaded.
 * Twin: reference/pack_winograd.ts. Checked in: src/model.
 */
export function pack_winograd(w: usize, taps: i32, n: i32, channels: i32, b: usize): void {
  const stride = <usize>channels;
  const plane = (<usize>n * stride) << 1;
  for (let o = 0; o < n; o++) {
    let to = b + (<usize>(o >> 3) * stride << 4) + (<usize>(o & 7) << 2);
    for (const end = w + stride; w < end; w += 8) {
      if (taps == 3) pack3x3(w, stride, to, plane);
      else pack2x2(w, stride, to, plane);
      to += 128;
    }
    w += (<usize>(taps * taps) - 1) * stride;
  }
}

/** Rows of 24 G, the last one halved: 6 0 0, −4 −4 −4, −4 4 −4, 1 2 4, 1 −2 4, 0 0 12. */
function pack3x3(w: usize, stride: usize, to: usize, plane: usize): void {
  for (let p = 0; p < 6; p++) {
    const a = column3(w, 3 * stride, p);
    const b = column3(w + stride, 3 * stride, p);
    const c = column3(w + 2 * stride, 3 * stride, p);
    const outer = i16x8.add(a, c);
    const four = i16x8.add(a, i16x8.shl(c, 2));
    const two = i16x8.shl(b, 1);
    put(to, i16x8.mul(a, i16x8.splat(6)));
    put(to + plane, i16x8.neg(i16x8.shl(i16x8.add(outer, b), 2)));
    put(to + 2 * plane, i16x8.shl(i16x8.sub(b, outer), 2));
    put(to + 3 * plane, i16x8.add(four, two));
    put(to + 4 * plane, i16x8.sub(four, two));
    put(to + 5 * plane, i16x8.mul(c, i16x8.splat(12)));
    to += 6 * plane;
  }
}

/** Row `p` of 24 G times a column of the kernel, `down` bytes from tap to tap. */
function column3(w: usize, down: usize, p: i32): v128 {
  const a = v128.load8x8_s(w);
  const b = v128.load8x8_s(w + down);
  const c = v128.load8x8_s(w + 2 * down);
  if (p == 0) return i16x8.mul(a, i16x8.splat(6));
  if (p == 5) return i16x8.mul(c, i16x8.splat(12));
  if (p < 3) {
    const outer = i16x8.add(a, c);
    return i16x8.shl(p == 1 ? i16x8.neg(i16x8.add(outer, b)) : i16x8.sub(b, outer), 2);
  }
  const two = i16x8.shl(b, 1);
  return i16x8.add(i16x8.add(a, i16x8.shl(c, 2)), p == 3 ? two : i16x8.neg(two));
}

/** Rows of 2 G: −2 0, 1 1, 1 −1, 0 2. */
function pack2x2(w: usize, stride: usize, to: usize, plane: usize): void {
  const a = v128.load8x8_s(w);
  const b = v128.load8x8_s(w + stride);
  const c = v128.load8x8_s(w + 2 * stride);
  const d = v128.load8x8_s(w + 3 * stride);
  row2(i16x8.neg(i16x8.shl(a, 1)), i16x8.neg(i16x8.shl(b, 1)), to, plane);
  row2(i16x8.add(a, c), i16x8.add(b, d), to + 4 * plane, plane);
  row2(i16x8.sub(a, c), i16x8.sub(b, d), to + 8 * plane, plane);
  row2(i16x8.shl(c, 1), i16x8.shl(d, 1), to + 12 * plane, plane);
}

function row2(a: v128, b: v128, to: usize, plane: usize): void {
  put(to, i16x8.neg(i16x8.shl(a, 1)));
  put(to + plane, i16x8.add(a, b));
  put(to + 2 * plane, i16x8.sub(a, b));
  put(to + 3 * plane, i16x8.shl(b, 1));
}

/** Four pairs of channels, each beside those of the seven other outputs of a panel. */
function put(to: usize, x: v128): void {
  v128.store32_lane(to, x, 0);
  v128.store32_lane(to, x, 1, 32);
  v128.store32_lane(to, x, 2, 64);
  v128.store32_lane(to, x, 3, 96);
}
