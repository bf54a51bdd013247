/**
 * One time step of the constant-density acoustic wave equation, second order in time and fourth in
 * space, in increment form:
 *
 *     d <- keep * d + (v dt / dx)^2 / 12 * (12 dx^2 laplacian(p) + boundary terms)
 *     p <- p + d
 *
 * This is p_next = (2 - kappa) p - (1 - kappa) p_prev + ... of OpenFWI's modeller with
 * d = p - p_prev and keep = 1 - kappa; adding small increments instead of subtracting two large
 * pressures keeps f32 rounding below the tolerance of the records (test/physics/forward.test.ts).
 *
 * `g` is an `AcousticGrid`; p and d are updated in place, halo cells are rewritten with their zeros.
 * Row r - 2 of p is advanced while row r is computed: row r is its last reader.
 * Every sum is in the order of `reference/acoustic2d.ts`; results are equal bit for bit.
 */
import { AcousticGrid, PSI_Z_ROWS, STRIP, courantRow } from "../lib/acousticGrid";
import { wrapHalo } from "../lib/periodicHalo";
import { EIGHT, FLUSH, FOUR, SIXTEEN, THIRTY } from "../lib/acousticConstants";

/** Advances p and d of `g` by one step. */
export function acoustic2d_step(g: AcousticGrid): void {
  if (g.keep) stepSponge(g);
  else stepCpml(g);
  const tail = <usize>(g.rows - 2) * g.stride;
  advanceRow(g.p + tail, g.d + tail, g.rowBytes);
  advanceRow(g.p + tail + g.stride, g.d + tail + g.stride, g.rowBytes);
}

function stepSponge(g: AcousticGrid): void {
  wrapHalo(g);
  const rows = g.rows;
  const stride = g.stride;
  let p = g.p;
  let d = g.d;
  for (let row: u32 = 0; row < rows; row++) {
    let distance = min(row, rows - 1 - row);
    distance = min(distance, g.pad);
    const keep = g.keep + <usize>distance * stride;
    spongeRow(p, d, courantRow(g, row), keep, stride, g.rowBytes);
    p += stride;
    d += stride;
  }
}

function stepCpml(g: AcousticGrid): void {
  psiZ(g);
  const rows = g.rows;
  const stride = g.stride;
  xStrips(g, 0);
  for (let row: u32 = 0; row < rows; row++) {
    // A row ahead of its reader: a load that straddles fresh stores would wait for them.
    if (row + 1 < rows) xStrips(g, row + 1);
    const p = g.p + <usize>row * stride;
    const d = g.d + <usize>row * stride;
    const c = courantRow(g, row);
    let strip: u32 = 0;
    let i = row;
    if (row >= rows - STRIP) {
      strip = 1;
      i = row + STRIP - rows;
    }
    if (i < STRIP) {
      const psi = g.psiZ + <usize>(strip * PSI_Z_ROWS + i + 2) * stride;
      const zeta = g.zetaZ + <usize>(strip * STRIP + i) * stride;
      const k = <usize>(strip * 3 * STRIP + i) << 2;
      stripRow(p, d, c, psi, zeta, g.strips + k, g.strips + k + 4 * STRIP, stride, g.rowBytes);
    } else {
      plainRow(p, d, c, stride, g.rowBytes);
    }
  }
}

/** Both x strips of a row. */
function xStrips(g: AcousticGrid, row: u32): void {
  const p = g.p + <usize>row * g.stride;
  const d = g.d + <usize>row * g.stride;
  const c = courantRow(g, row);
  const psi = g.psiX + <usize>row * (8 * STRIP);
  const zeta = g.zetaX + <usize>row * (8 * STRIP);
  const right = <usize>g.columnBytes - 4 * STRIP;
  xStrip(p, d, c, psi, zeta, g.strips);
  xStrip(p + right, d + right, c + right, psi + 4 * STRIP, zeta + 4 * STRIP, g.strips + 12 * STRIP);
}

/** psi of both z strips from the pressure before the step. */
function psiZ(g: AcousticGrid): void {
  const stride = g.stride;
  const bottom = <usize>(g.rows - STRIP) * stride;
  for (let i: u32 = 0; i < STRIP - 2; i++) {
    let k = <usize>i << 2;
    let psi = g.psiZ + <usize>(i + 2) * stride;
    psiZRow(g.p + <usize>i * stride, psi, g.strips + k, g.strips + k + 8 * STRIP, stride, g.rowBytes);
    k = <usize>(i + 3 * STRIP + 2) << 2;
    psi = g.psiZ + <usize>(PSI_Z_ROWS + i + 4) * stride;
    psiZRow(g.p + bottom + <usize>(i + 2) * stride, psi, g.strips + k, g.strips + k + 8 * STRIP, stride, g.rowBytes);
  }
}

/** p += d. */
function advanceRow(p: usize, d: usize, rowBytes: u32): void {
  const end = p + rowBytes;
  do {
    v128.store(p, f32x4.add(v128.load(p), v128.load(d)));
    p += 16;
    d += 16;
  } while (p < end);
}

/** d += c (16 (s1 - 4 p) - (s2 - 4 p)) with s1, s2 the sums of the neighbours at 1 and at 2. */
function plainRow(p: usize, d: usize, c: usize, stride: usize, rowBytes: u32): void {
  const four = v128.load(FOUR);
  const sixteen = v128.load(SIXTEEN);
  const flush = v128.load(FLUSH);
  const end = p + rowBytes;
  let u1 = p - stride;
  let u2 = u1 - stride;
  let d1 = p + stride;
  let d2 = d1 + stride;
  let above = d - stride - stride;
  p -= 8;
  do {
    const before = v128.load(u2);
    const p4 = f32x4.mul(v128.load(p, 8), four);
    const s1 = f32x4.add(
      f32x4.add(v128.load(p, 4), v128.load(p, 12)),
      f32x4.add(v128.load(u1), v128.load(d1)),
    );
    const s2 = f32x4.add(
      f32x4.add(v128.load(p), v128.load(p, 16)),
      f32x4.add(before, v128.load(d2)),
    );
    const l = f32x4.sub(f32x4.mul(f32x4.sub(s1, p4), sixteen), f32x4.sub(s2, p4));
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
  } while (d1 < end + stride);
}

/** As `plainRow` with d damped by `keep` first. */
function spongeRow(p: usize, d: usize, c: usize, keep: usize, stride: usize, rowBytes: u32): void {
  const four = v128.load(FOUR);
  const sixteen = v128.load(SIXTEEN);
  const flush = v128.load(FLUSH);
  const end = p + rowBytes + stride;
  let u1 = p - stride;
  let u2 = u1 - stride;
  let d1 = p + stride;
  let d2 = d1 + stride;
  let above = d - stride - stride;
  p -= 8;
  do {
    const before = v128.load(u2);
    const p4 = f32x4.mul(v128.load(p, 8), four);
    const s1 = f32x4.add(
      f32x4.add(v128.load(p, 4), v128.load(p, 12)),
      f32x4.add(v128.load(u1), v128.load(d1)),
    );
    const s2 = f32x4.add(
      f32x4.add(v128.load(p), v128.load(p, 16)),
      f32x4.add(before, v128.load(d2)),
    );
    const l = f32x4.sub(f32x4.mul(f32x4.sub(s1, p4), sixteen), f32x4.sub(s2, p4));
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
  } while (d1 < end);
}

/** psi <- b psi + a / 12 (8 (p[+1] - p[-1]) - (p[+2] - p[-2])), along z, coefficients per row. */
function psiZRow(p: usize, psi: usize, decay: usize, gain12: usize, stride: usize, rowBytes: u32): void {
  const eight = v128.load(EIGHT);
  const b = v128.load32_splat(decay);
  const a = v128.load32_splat(gain12);
  const end = psi + rowBytes;
  let u1 = p - stride;
  let u2 = u1 - stride;
  let d1 = p + stride;
  let d2 = d1 + stride;
  do {
    const near = f32x4.mul(f32x4.sub(v128.load(d1), v128.load(u1)), eight);
    const slope = f32x4.sub(near, f32x4.sub(v128.load(d2), v128.load(u2)));
    v128.store(psi, f32x4.add(f32x4.mul(b, v128.load(psi)), f32x4.mul(a, slope)));
    psi += 16;
    u1 += 16;
    u2 += 16;
    d1 += 16;
    d2 += 16;
  } while (psi < end);
}

/** As `plainRow` in a z strip: zeta <- b zeta + a 12 d(dp + psi), and d takes c (12 dpsi + zeta) as well. */
function stripRow(
  p: usize, d: usize, c: usize, psi: usize, zeta: usize,
  decay: usize, gain: usize, stride: usize, rowBytes: u32,
): void {
  const four = v128.load(FOUR);
  const eight = v128.load(EIGHT);
  const sixteen = v128.load(SIXTEEN);
  const thirty = v128.load(THIRTY);
  const flush = v128.load(FLUSH);
  const b = v128.load32_splat(decay);
  const a = v128.load32_splat(gain);
  const end = d + rowBytes;
  const stride2 = stride + stride;
  let above = d - stride2;
  do {
    const before = v128.load(p - stride2);
    const q = v128.load(p);
    const near = f32x4.mul(f32x4.sub(v128.load(psi + stride), v128.load(psi - stride)), eight);
    const slope = f32x4.sub(near, f32x4.sub(v128.load(psi + stride2), v128.load(psi - stride2)));
    const z1 = f32x4.add(v128.load(p - stride), v128.load(p + stride));
    const z2 = f32x4.add(before, v128.load(p + stride2));
    const curve = f32x4.sub(f32x4.sub(f32x4.mul(z1, sixteen), z2), f32x4.mul(q, thirty));
    const z = f32x4.add(
      f32x4.mul(b, v128.load(zeta)),
      f32x4.mul(a, f32x4.add(curve, slope)),
    );
    v128.store(zeta, z);
    const p4 = f32x4.mul(q, four);
    const s1 = f32x4.add(f32x4.add(v128.load(p - 4), v128.load(p, 4)), z1);
    const s2 = f32x4.add(f32x4.add(v128.load(p - 8), v128.load(p, 8)), z2);
    const l = f32x4.sub(f32x4.mul(f32x4.sub(s1, p4), sixteen), f32x4.sub(s2, p4));
    const next = f32x4.add(
      v128.load(d),
      f32x4.mul(v128.load(c), f32x4.add(l, f32x4.add(slope, z))),
    );
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
 * One x strip in one row: psi and zeta advance as in `psiZRow` and `stripRow`, d takes
 * c (12 dpsi + zeta). The new psi stays in registers, its neighbours are shuffles.
 */
function xStrip(p: usize, d: usize, c: usize, psi: usize, zeta: usize, decay: usize): void {
  const eight = v128.load(EIGHT);
  const sixteen = v128.load(SIXTEEN);
  const thirty = v128.load(THIRTY);
  const gain = decay + 4 * STRIP;
  const gain12 = decay + 8 * STRIP;
  const zero = f32x4.splat(0);
  const y0 = xPsi(p - 8, psi, decay, gain12, eight);
  const y1 = xPsi(p + 8, psi + 16, decay + 16, gain12 + 16, eight);
  const y2 = xPsi(p + 24, psi + 32, decay + 32, gain12 + 32, eight);
  const y3 = xPsi(p + 40, psi + 48, decay + 48, gain12 + 48, eight);
  xZeta(p - 8, d, c, zeta, decay, gain, zero, y0, y1, eight, sixteen, thirty);
  xZeta(p + 8, d + 16, c + 16, zeta + 16, decay + 16, gain + 16, y0, y1, y2, eight, sixteen, thirty);
  xZeta(p + 24, d + 32, c + 32, zeta + 32, decay + 32, gain + 32, y1, y2, y3, eight, sixteen, thirty);
  xZeta(p + 40, d + 48, c + 48, zeta + 48, decay + 48, gain + 48, y2, y3, zero, eight, sixteen, thirty);
}

// @ts-ignore: decorator
@inline
function xPsi(p: usize, psi: usize, decay: usize, gain12: usize, eight: v128): v128 {
  const near = f32x4.mul(f32x4.sub(v128.load(p, 12), v128.load(p, 4)), eight);
  const slope = f32x4.sub(near, f32x4.sub(v128.load(p, 16), v128.load(p)));
  const kept = f32x4.mul(v128.load(decay), v128.load(psi));
  const y = f32x4.add(kept, f32x4.mul(v128.load(gain12), slope));
  v128.store(psi, y);
  return y;
}

// @ts-ignore: decorator
@inline
function xZeta(
  p: usize, d: usize, c: usize, zeta: usize, decay: usize, gain: usize,
  before: v128, here: v128, after: v128, eight: v128, sixteen: v128, thirty: v128,
): void {
  const right1 = v128.shuffle<f32>(here, after, 1, 2, 3, 4);
  const right2 = v128.shuffle<f32>(here, after, 2, 3, 4, 5);
  const left1 = v128.shuffle<f32>(before, here, 3, 4, 5, 6);
  const left2 = v128.shuffle<f32>(before, here, 2, 3, 4, 5);
  const near = f32x4.mul(f32x4.sub(right1, left1), eight);
  const slope = f32x4.sub(near, f32x4.sub(right2, left2));
  const s1 = f32x4.mul(f32x4.add(v128.load(p, 4), v128.load(p, 12)), sixteen);
  const s2 = f32x4.add(v128.load(p), v128.load(p, 16));
  const curve = f32x4.sub(f32x4.sub(s1, s2), f32x4.mul(v128.load(p, 8), thirty));
  const z = f32x4.add(
    f32x4.mul(v128.load(decay), v128.load(zeta)),
    f32x4.mul(v128.load(gain), f32x4.add(curve, slope)),
  );
  v128.store(zeta, z);
  const e = f32x4.mul(v128.load(c), f32x4.add(slope, z));
  v128.store(d, f32x4.add(v128.load(d), e));
}
