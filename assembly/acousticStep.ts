/**
 * One time step of the constant-density acoustic wave equation, second order in time and fourth in
 * space, in increment form:
 *
 *     d <- keep * d + (v dt / dx)^2 / 12 * (12 dx^2 laplacian(p) + boundary terms)
 *     p <- p + d
 *
 * This is p_next = (2 - kappa) p - (1 - kappa) p_prev + ... of OpenFWI's modeller with d = p - p_prev
 * and keep = 1 - kappa. Adding small increments, instead of subtracting two large pressures, keeps
 * f32 records within 1e-6 of float64 ones.
 *
 * The sweep runs down the rows once. Row r - 2 of p is advanced while row r is computed, its last
 * reader; everything else of row r must have read old pressures by then.
 */
import * as simd from "./kernels/acoustic2d";
import { AcousticGrid, PSI_Z_ROWS, STRIP, courantRow } from "./lib/acousticGrid";
import { wrapHalo } from "./lib/periodicHalo";
import * as scalar from "./reference/acoustic2d";

/** Advances p and d of `g` by one step, inside the window. */
export function stepGrid(g: AcousticGrid): void {
  if (g.keep) sweepSponge(g);
  else sweepCpml(g);
  advanceRow(g, g.bottom - 2);
  advanceRow(g, g.bottom - 1);
}

/**
 * Moves the window. The sweep also advances the two rows above the window: their increments become zero, so
 * that these rows keep their pressure.
 */
export function setWindow(g: AcousticGrid, top: u32, bottom: u32, left: u32, right: u32): void {
  g.top = top;
  g.bottom = bottom;
  g.left = left;
  g.right = right;
  memory.fill(g.d + <usize>top * g.stride - 2 * g.stride, 0, 2 * g.stride);
}

/** Bytes of a row that the window covers. */
// @ts-ignore: decorator
@inline
function windowBytes(g: AcousticGrid): usize {
  return g.right - g.left;
}

/** Byte offset of the window's first cell in `row`, from a field's cell (0, 0). */
// @ts-ignore: decorator
@inline
function rowStart(g: AcousticGrid, row: u32): usize {
  return <usize>row * g.stride + g.left;
}

function advanceRow(g: AcousticGrid, row: u32): void {
  const at = rowStart(g, row);
  if (ASC_FEATURE_SIMD) simd.acoustic2d_advance(g.p + at, g.d + at, windowBytes(g));
  else scalar.acoustic2d_advance(g.p + at, g.d + at, windowBytes(g));
}

function sweepSponge(g: AcousticGrid): void {
  wrapHalo(g);
  const stride = <usize>g.stride;
  const bytes = windowBytes(g);
  for (let row = g.top; row < g.bottom; row++) {
    const at = rowStart(g, row);
    const p = g.p + at;
    const d = g.d + at;
    const distance = min(min(row, g.rows - 1 - row), g.pad);
    const keep = g.keep + distance * stride + g.left;
    const c = courantRow(g, row) + g.left;
    if (ASC_FEATURE_SIMD) simd.acoustic2d_row_damped(p, d, c, keep, stride, bytes);
    else scalar.acoustic2d_row_damped(p, d, c, keep, stride, bytes);
  }
}

function sweepCpml(g: AcousticGrid): void {
  stripsZ(g);
  stripsX(g, g.top);
  for (let row = g.top; row < g.bottom; row++) {
    // A row ahead of its reader: a load that straddles fresh stores would wait for them.
    if (row + 1 < g.bottom) stripsX(g, row + 1);
    const lower = row >= g.rows - STRIP;
    if (lower || row < STRIP) rowInStrip(g, row, lower);
    else rowInside(g, row);
  }
}

function rowInside(g: AcousticGrid, row: u32): void {
  const at = rowStart(g, row);
  const c = courantRow(g, row) + g.left;
  if (ASC_FEATURE_SIMD) simd.acoustic2d_row(g.p + at, g.d + at, c, g.stride, windowBytes(g));
  else scalar.acoustic2d_row(g.p + at, g.d + at, c, g.stride, windowBytes(g));
}

function rowInStrip(g: AcousticGrid, row: u32, lower: bool): void {
  const at = rowStart(g, row);
  const i = lower ? row + STRIP - g.rows : row;
  const c = courantRow(g, row) + g.left;
  const psi = psiRow(g, i, lower) + g.left;
  const zeta = g.zetaZ + <usize>(<u32>lower * STRIP + i) * g.stride + g.left;
  const terms = stripTerms(g, lower) + (<usize>i << 2);
  const bytes = windowBytes(g);
  if (ASC_FEATURE_SIMD) {
    simd.acoustic2d_row_strip(g.p + at, g.d + at, c, psi, zeta, terms, g.stride, bytes);
  } else {
    scalar.acoustic2d_row_strip(g.p + at, g.d + at, c, psi, zeta, terms, g.stride, bytes);
  }
}

/** psi of the z strips in the window; the two innermost rows of a strip keep their zeros. */
function stripsZ(g: AcousticGrid): void {
  const upper = g.top < STRIP;
  const lower = g.bottom > g.rows - STRIP;
  for (let i: u32 = 0; i < STRIP - 2; i++) {
    if (upper) stripZ(g, i, i, false);
    if (lower) stripZ(g, g.rows - 1 - i, STRIP - 1 - i, true);
  }
}

function stripZ(g: AcousticGrid, row: u32, i: u32, lower: bool): void {
  const p = g.p + rowStart(g, row);
  const psi = psiRow(g, i, lower) + g.left;
  const terms = stripTerms(g, lower) + (<usize>i << 2);
  if (ASC_FEATURE_SIMD) simd.acoustic2d_psi(p, psi, terms, g.stride, windowBytes(g));
  else scalar.acoustic2d_psi(p, psi, terms, g.stride, windowBytes(g));
}

function stripsX(g: AcousticGrid, row: u32): void {
  if (g.left < 4 * STRIP) stripX(g, row, false);
  if (g.right > g.columnBytes - 4 * STRIP) stripX(g, row, true);
}

function stripX(g: AcousticGrid, row: u32, right: bool): void {
  const column = right ? <usize>g.columnBytes - 4 * STRIP : 0;
  const at = <usize>row * g.stride + column;
  const c = courantRow(g, row) + column;
  const memory = <usize>(2 * row + <u32>right) * (4 * STRIP);
  const terms = stripTerms(g, right);
  if (ASC_FEATURE_SIMD) {
    simd.acoustic2d_strip(g.p + at, g.d + at, c, g.psiX + memory, g.zetaX + memory, terms);
  } else {
    scalar.acoustic2d_strip(g.p + at, g.d + at, c, g.psiX + memory, g.zetaX + memory, terms);
  }
}

/** Row `i` of psi in a z strip; two rows of zeros lie above and below each strip. */
function psiRow(g: AcousticGrid, i: u32, lower: bool): usize {
  return g.psiZ + <usize>(<u32>lower * PSI_Z_ROWS + i + 2) * g.stride;
}

/** Coefficients of the left (upper) or the right (lower) strip: f32 [3][16]. */
function stripTerms(g: AcousticGrid, farSide: bool): usize {
  return g.strips + <usize>farSide * (12 * STRIP);
}
