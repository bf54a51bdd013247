import { exactExp } from "./ricker.ts";

/**
 * How waves leave the grid. "openfwi": 120 cells of sponge whose outer edges wrap round, the scheme
 * of the data sets. "fast": 14 cells of CPML, a tenth of the cells, and nearer to a grid without
 * edges: 1e-4 to 1e-3 of a record's norm, where the sponge leaves 1e-3 to 5e-2. Its worst comes from
 * maps without slow layers near the surface, where waves pass the sponge and get round within a
 * second (test/physics/forward.test.ts).
 */
export type Boundary = "openfwi" | "fast";

/** Padding cells on each of the four sides. */
export const PADDING: Readonly<Record<Boundary, number>> = { openfwi: 120, fast: 14 };

/** Cells of a CPML strip: the padding and the two cells that the stencil reaches inwards. */
export const STRIP_CELLS = 16;

/**
 * Damping kappa = damp * dt of OpenFWI's sponge at `distance` cells from the outer edge:
 * kappa0 (i dx / a)^2 dt with a = (pad - 1) dx, kappa0 = 3 vmin ln(1e7) / (2 a), i growing outwards
 * from 0 in the innermost padding cell. `slowest` is the least velocity of this very map, m/s.
 */
export function spongeDamping(
  distance: number,
  slowest: number,
  spacingM: number,
  sampleS: number,
): number {
  const last = PADDING.openfwi - 1;
  const thicknessM = last * spacingM;
  const kappa0 = (3 * slowest * LN_1E7) / (2 * thicknessM);
  const depth = (last - distance) / last;
  return kappa0 * depth * depth * sampleS;
}

const LN_1E7 = 16.11809565095832;

/** Coefficients of one recursive convolution psi <- b psi + a dp. */
export interface CpmlCell {
  readonly decay: number;
  readonly gain: number;
}

/**
 * CPML coefficients at cell `k` of a strip, k = 0 outermost (Komatitsch and Martin 2007 with
 * kappa = 1; second-order form of Pasalic and McGarry 2010): quadratic profile for a reflection of
 * 1e-3, frequency shift from pi * 3 Hz at the inner edge to 0. Zero in the two innermost cells.
 * `fastest` is the greatest velocity of the map, m/s.
 */
export function cpmlCell(k: number, fastest: number, spacingM: number, sampleS: number): CpmlCell {
  const cells = PADDING.fast;
  const depth = (cells - k) / cells;
  if (depth <= 0) return { decay: 0, gain: 0 };
  const damping = ((3 * fastest * LN_1E3) / (2 * cells * spacingM)) * depth * depth;
  const shift = Math.PI * SHIFT_HZ * (1 - depth);
  const decay = exactExp(-(damping + shift) * sampleS);
  return { decay, gain: (damping / (damping + shift)) * (decay - 1) };
}

const LN_1E3 = 6.907755278982137;
const SHIFT_HZ = 3;
