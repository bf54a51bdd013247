import type { Arena } from "./arena.ts";
import { type IgemmName, type KernelExports, OutKind, roundUp, SUM4_MAX } from "./kernels.ts";
import { placeWeights } from "./placeWeights.ts";
import { fillSeeded, selfTestIntegers } from "./seeded.ts";

/** A seeded product in a module's memory: `rows` of `segments` runs of A against `n` channels. */
export interface IgemmCase {
  /** Runs it with the given output kind and clamp. */
  run(outKind: OutKind, lo: number, hi: number): void;
  /** Address and bytes of C for that output kind. */
  readonly c: number;
  cBytes(outKind: OutKind): number;
}

export interface IgemmShape {
  readonly rows: number;
  readonly segments: number;
  /** Values of one segment of A. */
  readonly segment: number;
  readonly n: number;
}

const ELEMENT_BYTES: Readonly<Record<OutKind, number>> = { 0: 2, 1: 2, 2: 1, 3: 4 };

/**
 * Lays out a product whose A holds uint8 codes 0..127 (`igemm_u7`) or int16 codes +-2047
 * (`igemm_s16`). Half of all values sit at the ends of their range: there a saturating or a
 * signed-by-unsigned multiply would differ.
 */
export function igemmCase(
  exports: KernelExports,
  arena: Arena,
  input: "u7" | "s16",
  shape: IgemmShape,
  seed: number,
  form: IgemmName = input === "u7" ? "igemm_u7" : "igemm_s16",
): IgemmCase {
  const { rows, segments, segment, n } = shape;
  const random = selfTestIntegers(seed);
  const k = segments * segment;
  const isU7 = input === "u7";
  const [low, high] = isU7 ? [0, 127] : [-2047, 2047];
  const codes = fillEnds(
    isU7 ? new Uint8Array(rows * k) : new Int16Array(rows * k),
    random,
    low,
    high,
  );
  const weightMax = form === "igemm_u7_sum4" ? SUM4_MAX >> 2 : 127;
  const weight = fillEnds(new Int8Array(n * k), random, -weightMax, weightMax);
  const bias = new Int32Array(n);
  for (let i = 0; i < n; i++) bias[i] = random(-50000, 50000);
  const scale = new Float32Array(n);
  for (let i = 0; i < n; i++) scale[i] = random(50, 400) / (k * high * 8);

  const bytes = isU7 ? 1 : 2;
  const a = arena.place(codes);
  const b = placeWeights(exports, arena, input, weight, n, k, segments);
  const biasAt = arena.place(bias);
  const scaleAt = arena.place(scale);
  const aOff = placeStrides(arena, rows, k * bytes);
  const cOff = new Map(
    Object.values(OutKind).map((kind) => [
      kind,
      placeStrides(arena, rows, n * ELEMENT_BYTES[kind]),
    ]),
  );
  const c = arena.alloc(rows * n * 4);
  const igemm = exports[form]!; // a form that this side has
  const segBytes = roundUp(segment * bytes, 4);
  return {
    c,
    cBytes: (kind) => rows * n * ELEMENT_BYTES[kind],
    run: (kind, lo, hi) =>
      igemm(
        a,
        aOff,
        rows,
        segments,
        segment * bytes,
        segBytes,
        b,
        biasAt,
        scaleAt,
        c,
        cOff.get(kind)!,
        n,
        kind,
        lo,
        hi,
      ),
  };
}

/** Draws from a range twice as wide and clamps. */
function fillEnds<T extends Int8Array | Uint8Array | Int16Array>(
  values: T,
  random: (lo: number, hi: number) => number,
  low: number,
  high: number,
): T {
  const margin = (high - low + 1) >> 1;
  return fillSeeded(values, () => {
    const value = random(low - margin, high + margin);
    return value < low ? low : value > high ? high : value;
  });
}

function placeStrides(arena: Arena, rows: number, stride: number): number {
  const offsets = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) offsets[row] = row * stride;
  return arena.place(offsets);
}
