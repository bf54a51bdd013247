/**
 * Scalar twins of `kernels/acoustic2d.ts`: the same names, arguments and sums, one cell at a time.
 * Also the kernels of the module for engines without SIMD.
 */
import { STRIP } from "../lib/acousticGrid";

/** 2^-63, the value in the lanes of `FLUSH`. */
const FLUSH: f32 = 1.0842021724855044e-19;

/** d += c 12 dx^2 laplacian(p) in a row; then p += d in the row two above. */
export function acoustic2d_row(p: usize, d: usize, c: usize, stride: usize, rowBytes: usize): void {
  for (let i: usize = 0; i < rowBytes; i += 4) {
    const next = load<f32>(d + i) + load<f32>(c + i) * laplacian(p + i, stride);
    finishCell(p + i, d + i, stride, next);
  }
}

/** As `acoustic2d_row`, with d multiplied by `keep` first. */
export function acoustic2d_row_damped(
  p: usize, d: usize, c: usize, keep: usize, stride: usize, rowBytes: usize,
): void {
  for (let i: usize = 0; i < rowBytes; i += 4) {
    const kept = load<f32>(d + i) * load<f32>(keep + i);
    const next = kept + load<f32>(c + i) * laplacian(p + i, stride);
    finishCell(p + i, d + i, stride, next);
  }
}

/** As `acoustic2d_row` inside a z strip. */
export function acoustic2d_row_strip(
  p: usize, d: usize, c: usize, psi: usize, zeta: usize,
  terms: usize, stride: usize, rowBytes: usize,
): void {
  const b = load<f32>(terms);
  const a = load<f32>(terms, 4 * STRIP);
  for (let i: usize = 0; i < rowBytes; i += 4) {
    const slope = difference(psi + i, stride);
    const z = b * load<f32>(zeta + i) + a * (curvature(p + i, stride) + slope);
    store<f32>(zeta + i, z);
    const sum = laplacian(p + i, stride) + (slope + z);
    finishCell(p + i, d + i, stride, load<f32>(d + i) + load<f32>(c + i) * sum);
  }
}

/** psi <- b psi + a / 12 (12 dp) along z in one row of a z strip. */
export function acoustic2d_psi(
  p: usize, psi: usize, terms: usize, stride: usize, rowBytes: usize,
): void {
  const b = load<f32>(terms);
  const a = load<f32>(terms, 8 * STRIP);
  for (let i: usize = 0; i < rowBytes; i += 4) {
    store<f32>(psi + i, b * load<f32>(psi + i) + a * difference(p + i, stride));
  }
}

/** The x terms of one x strip in one row. */
export function acoustic2d_strip(
  p: usize, d: usize, c: usize, psi: usize, zeta: usize, terms: usize,
): void {
  for (let i: usize = 0; i < 4 * STRIP; i += 4) {
    const memory = load<f32>(terms + i) * load<f32>(psi + i);
    store<f32>(psi + i, memory + load<f32>(terms + i, 8 * STRIP) * difference(p + i, 4));
  }
  for (let i: isize = 0; i < 4 * STRIP; i += 4) {
    const near = (stripCell(psi, i + 4) - stripCell(psi, i - 4)) * 8;
    const slope = near - (stripCell(psi, i + 8) - stripCell(psi, i - 8));
    const memory = load<f32>(terms + i) * load<f32>(zeta + i);
    const z = memory + load<f32>(terms + i, 4 * STRIP) * (curvature(p + i, 4) + slope);
    store<f32>(zeta + i, z);
    store<f32>(d + i, load<f32>(d + i) + load<f32>(c + i) * (slope + z));
  }
}

/** p += d in a row. */
export function acoustic2d_advance(p: usize, d: usize, rowBytes: usize): void {
  for (let i: usize = 0; i < rowBytes; i += 4) {
    store<f32>(p + i, load<f32>(p + i) + load<f32>(d + i));
  }
}

/** Stores d of this row and p of the row two above. */
// @ts-ignore: decorator
@inline
function finishCell(p: usize, d: usize, stride: usize, next: f32): void {
  store<f32>(d, next + FLUSH - FLUSH);
  const above = p - 2 * stride;
  store<f32>(above, load<f32>(above) + load<f32>(d - 2 * stride));
}

/** psi at `offset` bytes of an x strip, zero outside it. */
// @ts-ignore: decorator
@inline
function stripCell(psi: usize, offset: isize): f32 {
  return offset < 0 || offset >= 4 * STRIP ? 0 : load<f32>(psi + offset);
}

/** 12 dx^2 laplacian. */
// @ts-ignore: decorator
@inline
function laplacian(p: usize, stride: usize): f32 {
  const p4 = load<f32>(p) * 4;
  const s1 = load<f32>(p - 4) + load<f32>(p + 4) + (load<f32>(p - stride) + load<f32>(p + stride));
  const s2 =
    load<f32>(p - 8) + load<f32>(p + 8) + (load<f32>(p - 2 * stride) + load<f32>(p + 2 * stride));
  return (s1 - p4) * 16 - (s2 - p4);
}

/** 12 dx times the first derivative along the axis whose cells lie `step` bytes apart. */
// @ts-ignore: decorator
@inline
function difference(f: usize, step: usize): f32 {
  const near = (load<f32>(f + step) - load<f32>(f - step)) * 8;
  return near - (load<f32>(f + 2 * step) - load<f32>(f - 2 * step));
}

/** 12 dx^2 times the second derivative along one axis. */
// @ts-ignore: decorator
@inline
function curvature(f: usize, step: usize): f32 {
  const s1 = load<f32>(f - step) + load<f32>(f + step);
  const s2 = load<f32>(f - 2 * step) + load<f32>(f + 2 * step);
  return s1 * 16 - s2 - load<f32>(f) * 30;
}
