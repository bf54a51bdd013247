/**
 * Rows of one acoustic time step (`acousticStep.ts` says which equation and in which order).
 *
 * Names: p, d, c point at the first cell of a row of pressure, increment and courant factor; u1, u2
 * are the rows above, d1, d2 those below; s1 and s2 sum the neighbours at distance 1 and 2, so that
 * 12 dx^2 laplacian(p) = 16 (s1 - 4 p) - (s2 - 4 p). `rowBytes` is a positive multiple of 16, `stride`
 * the bytes from row to row; no alignment is needed. `FLUSH` rounds away what would be subnormal.
 *
 * Every sum is in the order of `reference/acoustic2d.ts`: results are equal bit for bit.
 */
import { EIGHT, FLUSH, FOUR, SIXTEEN, THIRTY } from "../lib/acousticConstants";
import { STRIP } from "../lib/acousticGrid";

/** d += c 12 dx^2 laplacian(p) in a row; then p += d in the row two above, which nobody reads any more. */
export function acoustic2d_row(p: usize, d: usize, c: usize, stride: usize, rowBytes: usize): void {
  const four = v128.load(FOUR);
  const sixteen = v128.load(SIXTEEN);
  const flush = v128.load(FLUSH);
  const end = d + rowBytes;
  let above = d - 2 * stride;
  let u1 = p - stride;
  let u2 = u1 - stride;
  let d1 = p + stride;
  let d2 = d1 + stride;
  p -= 8;
  do {
    const before = v128.load(u2);
    const z1 = f32x4.add(v128.load(u1), v128.load(d1));
    const z2 = f32x4.add(before, v128.load(d2));
    const l = laplacian(p, z1, z2, four, sixteen);
    const next = f32x4.add(v128.load(d), f32x4.mul(v128.load(c), l));
    v128.store(d, f32x4.sub(f32x4.add(next, flush), flush));
    v128.store(u2, f32x4.add(before, v128.load(above)));
    p += 16;
    d += 16;
    c += 16;
    u1 += 16;
    u2 += 16;
    d1 += 16;
    d2 += 16;
    above += 16;
  } while (d < end);
}

/** As `acoustic2d_row`, with d multiplied by `keep` (one row of factors) first. */
export function acoustic2d_row_damped(
  p: usize, d: usize, c: usize, keep: usize, stride: usize, rowBytes: usize,
): void {
  const four = v128.load(FOUR);
  const sixteen = v128.load(SIXTEEN);
  const flush = v128.load(FLUSH);
  const end = d + rowBytes;
  let above = d - 2 * stride;
  let u1 = p - stride;
  let u2 = u1 - stride;
  let d1 = p + stride;
  let d2 = d1 + stride;
  p -= 8;
  do {
    const before = v128.load(u2);
    const z1 = f32x4.add(v128.load(u1), v128.load(d1));
    const z2 = f32x4.add(before, v128.load(d2));
    const l = laplacian(p, z1, z2, four, sixteen);
    const kept = f32x4.mul(v128.load(d), v128.load(keep));
    const next = f32x4.add(kept, f32x4.mul(v128.load(c), l));
    v128.store(d, f32x4.sub(f32x4.add(next, flush), flush));
    v128.store(u2, f32x4.add(before, v128.load(above)));
    p += 16;
    d += 16;
    c += 16;
    keep += 16;
    u1 += 16;
    u2 += 16;
    d1 += 16;
    d2 += 16;
    above += 16;
  } while (d < end);
}

/**
 * As `acoustic2d_row` inside a z strip, where psi of this step is known: z is stretched, so
 * zeta <- b zeta + a (12 d2p + 12 dpsi), and d takes c (12 dpsi + zeta) as well.
 * terms  f32, b of this row; a lies 4 STRIP bytes on
 */
export function acoustic2d_row_strip(
  p: usize, d: usize, c: usize, psi: usize, zeta: usize,
  terms: usize, stride: usize, rowBytes: usize,
): void {
  const four = v128.load(FOUR);
  const eight = v128.load(EIGHT);
  const sixteen = v128.load(SIXTEEN);
  const thirty = v128.load(THIRTY);
  const flush = v128.load(FLUSH);
  const b = v128.load32_splat(terms);
  const a = v128.load32_splat(terms, 4 * STRIP);
  const end = d + rowBytes;
  const stride2 = 2 * stride;
  let above = d - stride2;
  do {
    const before = v128.load(p - stride2);
    const z1 = f32x4.add(v128.load(p - stride), v128.load(p + stride));
    const z2 = f32x4.add(before, v128.load(p + stride2));
    const l = laplacian(p - 8, z1, z2, four, sixteen);
    const slope = difference(
      v128.load(psi - stride2), v128.load(psi - stride),
      v128.load(psi + stride), v128.load(psi + stride2), eight,
    );
    const curve = curvature(v128.load(p), z1, z2, sixteen, thirty);
    const memory = f32x4.mul(b, v128.load(zeta));
    const z = f32x4.add(memory, f32x4.mul(a, f32x4.add(curve, slope)));
    v128.store(zeta, z);
    const sum = f32x4.add(l, f32x4.add(slope, z));
    const next = f32x4.add(v128.load(d), f32x4.mul(v128.load(c), sum));
    v128.store(d, f32x4.sub(f32x4.add(next, flush), flush));
    v128.store(p - stride2, f32x4.add(before, v128.load(above)));
    p += 16;
    d += 16;
    c += 16;
    psi += 16;
    zeta += 16;
    above += 16;
  } while (d < end);
}

/**
 * psi <- b psi + a / 12 (12 dp) along z in one row of a z strip.
 * terms  f32, b of this row; a / 12 lies 8 STRIP bytes on
 */
export function acoustic2d_psi(
  p: usize, psi: usize, terms: usize, stride: usize, rowBytes: usize,
): void {
  const eight = v128.load(EIGHT);
  const b = v128.load32_splat(terms);
  const a = v128.load32_splat(terms, 8 * STRIP);
  const end = psi + rowBytes;
  const stride2 = 2 * stride;
  do {
    const slope = difference(
      v128.load(p - stride2), v128.load(p - stride),
      v128.load(p + stride), v128.load(p + stride2), eight,
    );
    v128.store(psi, f32x4.add(f32x4.mul(b, v128.load(psi)), f32x4.mul(a, slope)));
    p += 16;
    psi += 16;
  } while (psi < end);
}

/**
 * The x terms of one x strip in one row: psi, then zeta, then d += c (12 dpsi + zeta). The new psi
 * stays in registers and its neighbours are shuffles; it is zero outside the strip.
 * terms  f32 [3][STRIP]: b, a, a / 12
 */
export function acoustic2d_strip(
  p: usize, d: usize, c: usize, psi: usize, zeta: usize, terms: usize,
): void {
  const eight = v128.load(EIGHT);
  const sixteen = v128.load(SIXTEEN);
  const thirty = v128.load(THIRTY);
  const zero = f32x4.splat(0);
  p -= 8;
  const y0 = stripPsi(p, psi, terms, eight);
  const y1 = stripPsi(p + 16, psi + 16, terms + 16, eight);
  const y2 = stripPsi(p + 32, psi + 32, terms + 32, eight);
  const y3 = stripPsi(p + 48, psi + 48, terms + 48, eight);
  stripZeta(p, d, c, zeta, terms, zero, y0, y1, eight, sixteen, thirty);
  stripZeta(p + 16, d + 16, c + 16, zeta + 16, terms + 16, y0, y1, y2, eight, sixteen, thirty);
  stripZeta(p + 32, d + 32, c + 32, zeta + 32, terms + 32, y1, y2, y3, eight, sixteen, thirty);
  stripZeta(p + 48, d + 48, c + 48, zeta + 48, terms + 48, y2, y3, zero, eight, sixteen, thirty);
}

/** p += d in a row. */
export function acoustic2d_advance(p: usize, d: usize, rowBytes: usize): void {
  const end = p + rowBytes;
  do {
    v128.store(p, f32x4.add(v128.load(p), v128.load(d)));
    p += 16;
    d += 16;
  } while (p < end);
}

/** Four new psi of an x strip; `p` points two cells to the left of the first. */
// @ts-ignore: decorator
@inline
function stripPsi(p: usize, psi: usize, terms: usize, eight: v128): v128 {
  const slope = difference(
    v128.load(p), v128.load(p, 4), v128.load(p, 12), v128.load(p, 16), eight,
  );
  const memory = f32x4.mul(v128.load(terms), v128.load(psi));
  const y = f32x4.add(memory, f32x4.mul(v128.load(terms, 8 * STRIP), slope));
  v128.store(psi, y);
  return y;
}

/** Four new zeta of an x strip from psi of the four cells before, here and after. */
// @ts-ignore: decorator
@inline
function stripZeta(
  p: usize, d: usize, c: usize, zeta: usize, terms: usize,
  before: v128, here: v128, after: v128, eight: v128, sixteen: v128, thirty: v128,
): void {
  const slope = difference(
    v128.shuffle<f32>(before, here, 2, 3, 4, 5),
    v128.shuffle<f32>(before, here, 3, 4, 5, 6),
    v128.shuffle<f32>(here, after, 1, 2, 3, 4),
    v128.shuffle<f32>(here, after, 2, 3, 4, 5),
    eight,
  );
  const x1 = f32x4.add(v128.load(p, 4), v128.load(p, 12));
  const x2 = f32x4.add(v128.load(p), v128.load(p, 16));
  const curve = curvature(v128.load(p, 8), x1, x2, sixteen, thirty);
  const memory = f32x4.mul(v128.load(terms), v128.load(zeta));
  const z = f32x4.add(memory, f32x4.mul(v128.load(terms, 4 * STRIP), f32x4.add(curve, slope)));
  v128.store(zeta, z);
  v128.store(d, f32x4.add(v128.load(d), f32x4.mul(v128.load(c), f32x4.add(slope, z))));
}

/** 12 dx^2 laplacian; `p` points two cells to the left, z1 and z2 sum the vertical neighbours. */
// @ts-ignore: decorator
@inline
function laplacian(p: usize, z1: v128, z2: v128, four: v128, sixteen: v128): v128 {
  const p4 = f32x4.mul(v128.load(p, 8), four);
  const s1 = f32x4.add(f32x4.add(v128.load(p, 4), v128.load(p, 12)), z1);
  const s2 = f32x4.add(f32x4.add(v128.load(p), v128.load(p, 16)), z2);
  return f32x4.sub(f32x4.mul(f32x4.sub(s1, p4), sixteen), f32x4.sub(s2, p4));
}

/** 12 dx times the first derivative, from the values at -2, -1, +1 and +2. */
// @ts-ignore: decorator
@inline
function difference(l2: v128, l1: v128, r1: v128, r2: v128, eight: v128): v128 {
  return f32x4.sub(f32x4.mul(f32x4.sub(r1, l1), eight), f32x4.sub(r2, l2));
}

/** 12 dx^2 times the second derivative along one axis, from its sums at distance 1 and 2. */
// @ts-ignore: decorator
@inline
function curvature(here: v128, s1: v128, s2: v128, sixteen: v128, thirty: v128): v128 {
  return f32x4.sub(f32x4.sub(f32x4.mul(s1, sixteen), s2), f32x4.mul(here, thirty));
}
