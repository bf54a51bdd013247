/**
 * One acoustic model in linear memory: what the host fills before it calls `acoustic2d_shot`.
 * Field order and 4-byte fields are the ABI (`src/physics/gridLayout.ts` writes the same order).
 *
 * Wavefields `p` and `d` are f32 `[2 + rows + 2][stride / 4]` and the pointers name cell (0, 0):
 *
 *       .---- 2 halo rows of zeros ----.
 *       | 4 halo cells | width cells   | the next row's 4 halo cells close the row
 *       '---- 2 halo rows of zeros ----'
 *
 * `rows` and `width` count the padding; `width` is a multiple of 4. Cells beyond the padded map have
 * `courant` 0, so they stay zero and act as part of the halo.
 */
@unmanaged
export class AcousticGrid {
  /** f32, pressure after the last step. */
  p: usize;
  /** f32, pressure of the last step minus that of the step before. */
  d: usize;
  /**
   * f32 `[mapRows][stride / 4]`, (v dt / dx)^2 / 12. One row per map row, edge values continued to
   * the sides: padding rows above and below reuse the first and the last row.
   */
  courant: usize;
  /** Rows of the padded grid. */
  rows: u32;
  /** Bytes from one row to the next. */
  stride: u32;
  /** Rows of the map itself. */
  mapRows: u32;
  /** Padding cells on each side. */
  pad: u32;
  /** Bytes of the columns of the padded map, width without the rounding to 4 cells. */
  columnBytes: u32;
  /**
   * Sponge: f32 `[pad + 1][stride / 4]`, 1 - kappa for a row at distance i from the outer edge
   * (i = pad: rows of the map). 0 selects the CPML boundary.
   */
  keep: usize;
  /**
   * CPML: f32 `[2][3][16]`, decay b, gain a and a / 12 of the left and the right strip; the upper and
   * the lower strip use the same. Outermost cell first on the left, last on the right; all three are
   * zero in the two innermost cells.
   */
  strips: usize;
  /** CPML: f32 `[rows][2][16]`, memory of dp/dx. */
  psiX: usize;
  /** CPML: f32 `[rows][2][16]`, memory of d(dp/dx + psi)/dx, times 12. */
  zetaX: usize;
  /** CPML: f32 `[2][20][stride / 4]`, memory of dp/dz: 2 zero rows, 16 rows, 2 zero rows per strip. */
  psiZ: usize;
  /** CPML: f32 `[2][16][stride / 4]`, memory of d(dp/dz + psi)/dz, times 12. */
  zetaZ: usize;
  /**
   * The window that a step computes: rows `top` to before `bottom`, bytes `left` to before `right` of each
   * row, multiples of 16. A window that cuts into a CPML strip holds the whole strip.
   */
  top: u32;
  bottom: u32;
  left: u32;
  right: u32;
}

/** Cells of a CPML strip: the absorbing cells plus the two that the stencil reaches inwards. */
export const STRIP: u32 = 16;

/** Rows of one z strip in `psiZ`, zero rows included. */
export const PSI_Z_ROWS: u32 = 20;

/** `courant` row of padded row `row`. */
// @ts-ignore: decorator
@inline
export function courantRow(g: AcousticGrid, row: u32): usize {
  const inside = <i32>row - <i32>g.pad;
  const last = <i32>g.mapRows - 1;
  const mapRow = inside < 0 ? 0 : inside > last ? last : inside;
  return g.courant + <usize>mapRow * g.stride;
}
