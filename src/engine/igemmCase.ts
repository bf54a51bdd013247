import type { Arena } from "./arena.ts";
import {
  type IgemmName,
  type KernelExports,
  OutKind,
  packWeightsS16,
  packWeightsU7,
  roundUp,
} from "./kernels.ts";
import { seededIntegers } from "./seeded.ts";

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
  const random = seededIntegers(seed);
  const k = segments * segment;
  const [low, high] = input === "u7" ? [0, 127] : [-2047, 2047];
  const codes = Array.from({ length: rows * k }, () => endOrWithin(random, low, high));
  const weight = Int8Array.from({ length: n * k }, () => endOrWithin(random, -127, 127));
  const bias = Int32Array.from({ length: n }, () => random(-50000, 50000));
  const scale = Float32Array.from({ length: n }, () => random(50, 400) / (k * high * 8));

  const bytes = input === "u7" ? 1 : 2;
  const a = arena.place(input === "u7" ? Uint8Array.from(codes) : Int16Array.from(codes));
  const pack = input === "u7" ? packWeightsU7 : packWeightsS16;
  const b = arena.place(pack(weight, n, k, segments));
  const biasAt = arena.place(bias);
  const scaleAt = arena.place(scale);
  const aOff = arena.place(Uint32Array.from({ length: rows }, (_, row) => row * k * bytes));
  const cOff = new Map(
    Object.values(OutKind).map((kind) => {
      const stride = n * ELEMENT_BYTES[kind];
      return [kind, arena.place(Uint32Array.from({ length: rows }, (_, row) => row * stride))];
    }),
  );
  const c = arena.alloc(rows * n * 4);
  const igemm = exports[form];
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

function endOrWithin(random: (lo: number, hi: number) => number, lo: number, hi: number): number {
  const choice = random(0, 3);
  if (choice === 0) return lo;
  return choice === 1 ? hi : random(lo, hi);
}
