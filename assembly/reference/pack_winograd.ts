/** Scalar twin of kernels/pack_winograd.ts. */
export function pack_winograd(w: usize, taps: i32, n: i32, channels: i32, b: usize): void {
  const stride = <usize>channels;
  const plane = (<usize>n * stride) << 1;
  for (let o = 0; o < n; o++) {
    let to = b + (<usize>(o >> 3) * stride << 4) + (<usize>(o & 7) << 2);
    for (const end = w + stride; w < end; w += 2) {
      for (let odd: usize = 0; odd < 2; odd++) {
        if (taps == 3) pack3x3(w + odd, stride, to + (odd << 1), plane);
        else pack2x2(w + odd, stride, to + (odd << 1), plane);
      }
      to += 32;
    }
    w += (<usize>(taps * taps) - 1) * stride;
  }
}

/** Rows of 24 G, the last one halved: 6 0 0, −4 −4 −4, −4 4 −4, 1 2 4, 1 −2 4, 0 0 12. */
function pack3x3(w: usize, stride: usize, to: usize, plane: usize): void {
  for (let p = 0; p < 6; p++) {
    const a = row3(w, 3 * stride, p);
    const b = row3(w + stride, 3 * stride, p);
    const c = row3(w + 2 * stride, 3 * stride, p);
    store<i16>(to, 6 * a);
    store<i16>(to + plane, -4 * (a + b + c));
    store<i16>(to + 2 * plane, 4 * (b - a - c));
    store<i16>(to + 3 * plane, a + 2 * b + 4 * c);
    store<i16>(to + 4 * plane, a - 2 * b + 4 * c);
    store<i16>(to + 5 * plane, 12 * c);
    to += 6 * plane;
  }
}

// @ts-ignore: decorator
@inline
function row3(w: usize, down: usize, p: i32): i32 {
  const a = <i32>load<i8>(w);
  const b = <i32>load<i8>(w + down);
  const c = <i32>load<i8>(w + 2 * down);
  switch (p) {
    case 0:
      return 6 * a;
    case 1:
      return -4 * (a + b + c);
    case 2:
      return 4 * (b - a - c);
    case 3:
      return a + 2 * b + 4 * c;
    case 4:
      return a - 2 * b + 4 * c;
    default:
      return 12 * c;
  }
}

/** Rows of 2 G: −2 0, 1 1, 1 −1, 0 2. */
function pack2x2(w: usize, stride: usize, to: usize, plane: usize): void {
  const a = <i32>load<i8>(w);
  const b = <i32>load<i8>(w + stride);
  const c = <i32>load<i8>(w + 2 * stride);
  const d = <i32>load<i8>(w + 3 * stride);
  row2(-2 * a, -2 * b, to, plane);
  row2(a + c, b + d, to + 4 * plane, plane);
  row2(a - c, b - d, to + 8 * plane, plane);
  row2(2 * c, 2 * d, to + 12 * plane, plane);
}

// @ts-ignore: decorator
@inline
function row2(w0: i32, w1: i32, to: usize, plane: usize): void {
  store<i16>(to, -2 * w0);
  store<i16>(to + plane, w0 + w1);
  store<i16>(to + 2 * plane, w0 - w1);
  store<i16>(to + 3 * plane, 2 * w1);
}
