/**
 * Weights of conv1d_pairs_s16, the same arguments and bits as its twin: per channel w[k] + w[k + half], w[k], the rest,
 * −w[k + half], the rest. Eight values a step; the last of a run that fill no vector two a step.
 * w  s8   [n][2·half + rest], −127..127; half and rest are counts of values here, even
 * b  s16  [n/8][(3·half + 2·rest)/2][8][2]; n a multiple of 8
 * Twin: reference/conv1d_pairs_s16.ts. Checked in: src/model.
 */
export function pack_conv1d_pairs(w: usize, n: i32, half: usize, rest: usize, b: usize): void {
  const last = half << 1;
  const panel = (3 * half + 2 * rest) << 4;
  for (let o: usize = 0; o < <usize>n; o++) {
    let out = b + (o >> 3) * panel + ((o & 7) << 2);
    out = packRun(w, half, 1, half, out);
    out = packRun(w, half, 0, half, out);
    out = packRun(w + last, rest, 0, rest, out);
    out = packRun(w + half, half, -1, half, out);
    packRun(w + last, rest, 0, rest, out);
    w += last + rest;
  }
}

/** `length` values from `w`, with what stands `half` further on added (sign 1), or negative (-1); returns where the next pair goes. */
function packRun(w: usize, half: usize, sign: i32, length: usize, out: usize): usize {
  const end = w + length;
  for (const whole = end - 7; w < whole; w += 8) {
    let x = v128.load_ext<i8>(w);
    if (sign > 0) x = i16x8.add(x, v128.load_ext<i8>(w + half));
    if (sign < 0) x = i16x8.neg(x);
    v128.store32_lane(out, x, 0);
    v128.store32_lane(out, x, 1, 32);
    v128.store32_lane(out, x, 2, 64);
    v128.store32_lane(out, x, 3, 96);
    out += 128;
  }
  for (; w < end; w += 2) {
    let even: i32 = load<i8>(w);
    let odd: i32 = load<i8>(w, 1);
    if (sign > 0) {
      even += load<i8>(w + half);
      odd += load<i8>(w + half, 1);
    }
    if (sign < 0) {
      even = -even;
      odd = -odd;
    }
    store<i32>(out, (even & 0xffff) | (odd << 16));
    out += 32;
  }
  return out;
}
