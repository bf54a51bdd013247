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
import { AcousticGrid, PSI_X_BYTES, PSI_Z_ROWS, STRIP, courantRow } from "../lib/acousticGrid";
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
  const zStrip = <usize>STRIP * stride;
  const right = <usize>g.stripEnd - 4 * STRIP;
  let p = g.p;
  let d = g.d;
  let psiX = g.psiX + 16;
  let zetaX = g.zetaX;
  for (let row: u32 = 0; row < rows; row++) {
    const c = courantRow(g, row);
    xStrip(p, d, c, psiX, zetaX, g.decay, g.gain, g.gain12);
    xStrip(
      p + right, d + right, c + right, psiX + PSI_X_BYTES, zetaX + 4 * STRIP,
      g.decay + 4 * STRIP, g.gain + 4 * STRIP, g.gain12 + 4 * STRIP,
    );
    if (row < STRIP) {
      const psi = g.psiZ + <usize>(row + 2) * stride;
      const zeta = g.zetaZ + <usize>row * stride;
      const k = <usize>row << 2;
      zetaZRow(p, d, c, psi, zeta, g.decay + k, g.gain + k, stride, g.rowBytes);
    } else if (row >= rows - STRIP) {
      const i = row + STRIP - rows;
      const psi = g.psiZ + <usize>(PSI_Z_ROWS + i + 2) * stride;
      const zeta = g.zetaZ + zStrip + <usize>i * stride;
      const k = <usize>(i + STRIP) << 2;
      zetaZRow(p, d, c, psi, zeta, g.decay + k, g.gain + k, stride, g.rowBytes);
    }
    plainRow(p, d, c, stride, g.rowBytes);
    p += stride;
    d += stride;
    psiX += 2 * PSI_X_BYTES;
    zetaX += 8 * STRIP;
  }
}

/** psi of both z strips from the pressure before the step. */
function psiZ(g: AcousticGrid): void {
  const stride = g.stride;
  const bottom = <usize>(g.rows - STRIP) * stride;
  for (let i: u32 = 0; i < STRIP - 2; i++) {
    let k = <usize>i << 2;
    let psi = g.psiZ + <usize>(i + 2) * stride;
    psiZRow(g.p + <usize>i * stride, psi, g.decay + k, g.gain12 + k, stride, g.rowBytes);
    k = <usize>(i + STRIP + 2) << 2;
    psi = g.psiZ + <usize>(PSI_Z_ROWS + i + 4) * stride;
    psiZRow(g.p + bottom + <usize>(i + 2) * stride, psi, g.decay + k, g.gain12 + k, stride, g.rowBytes);
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

/** zeta <- b zeta + a 12 d(dp + psi); d += c (12 dpsi + zeta), along z. */
function zetaZRow(
  p: usize, d: usize, c: usize, psi: usize, zeta: usize,
  decay: usize, gain: usize, stride: usize, rowBytes: u32,
): void {
  const eight = v128.load(EIGHT);
  const sixteen = v128.load(SIXTEEN);
  const thirty = v128.load(THIRTY);
  const b = v128.load32_splat(decay);
  const a = v128.load32_splat(gain);
  const end = d + rowBytes;
  const stride2 = stride + stride;
  do {
    const near = f32x4.mul(f32x4.sub(v128.load(psi + stride), v128.load(psi - stride)), eight);
    const slope = f32x4.sub(near, f32x4.sub(v128.load(psi + stride2), v128.load(psi - stride2)));
    const s1 = f32x4.mul(f32x4.add(v128.load(p - stride), v128.load(p + stride)), sixteen);
    const s2 = f32x4.add(v128.load(p - stride2), v128.load(p + stride2));
    const curve = f32x4.sub(f32x4.sub(s1, s2), f32x4.mul(v128.load(p), thirty));
    const z = f32x4.add(
      f32x4.mul(b, v128.load(zeta)),
      f32x4.mul(a, f32x4.add(curve, slope)),
    );
    v128.store(zeta, z);
    v128.store(d, f32x4.add(v128.load(d), f32x4.mul(v128.load(c), f32x4.add(slope, z))));
    p += 16;
    d += 16;
    c += 16;
    psi += 16;
    zeta += 16;
  } while (d < end);
}

/** psi, zeta and d of one x strip in one row: `psiZRow` and `zetaZRow` along x. */
function xStrip(
  p: usize, d: usize, c: usize, psi: usize, zeta: usize,
  decay: usize, gain: usize, gain12: usize,
): void {
  const eight = v128.load(EIGHT);
  const sixteen = v128.load(SIXTEEN);
  const thirty = v128.load(THIRTY);
  for (let k: usize = 0; k < 4 * STRIP; k += 16) {
    const q = p + k - 8;
    const near = f32x4.mul(f32x4.sub(v128.load(q, 12), v128.load(q, 4)), eight);
    const slope = f32x4.sub(near, f32x4.sub(v128.load(q, 16), v128.load(q)));
    const kept = f32x4.mul(v128.load(decay + k), v128.load(psi + k));
    v128.store(psi + k, f32x4.add(kept, f32x4.mul(v128.load(gain12 + k), slope)));
  }
  for (let k: usize = 0; k < 4 * STRIP; k += 16) {
    const q = psi + k - 8;
    const near = f32x4.mul(f32x4.sub(v128.load(q, 12), v128.load(q, 4)), eight);
    const slope = f32x4.sub(near, f32x4.sub(v128.load(q, 16), v128.load(q)));
    const r = p + k - 8;
    const s1 = f32x4.mul(f32x4.add(v128.load(r, 4), v128.load(r, 12)), sixteen);
    const s2 = f32x4.add(v128.load(r), v128.load(r, 16));
    const curve = f32x4.sub(f32x4.sub(s1, s2), f32x4.mul(v128.load(r, 8), thirty));
    const z = f32x4.add(
      f32x4.mul(v128.load(decay + k), v128.load(zeta + k)),
      f32x4.mul(v128.load(gain + k), f32x4.add(curve, slope)),
    );
    v128.store(zeta + k, z);
    const e = f32x4.mul(v128.load(c + k), f32x4.add(slope, z));
    v128.store(d + k, f32x4.add(v128.load(d + k), e));
  }
}
