/** One igemm problem in natural layout, and the driver that runs it on a module. */
import {
  type IgemmName,
  type KernelExports,
  OutKind,
  packWeightsS16,
  packWeightsU7,
  roundUp,
  TILE_ROWS,
} from "../../src/engine/kernels.ts";
import { Arena, type NumericArray } from "./platform.ts";

export type Domain = "s16" | "u7";
export type Result = "s16" | "u7" | "s8" | "f32";

export interface IgemmProblem {
  /** Flat activations; rows, segments and offsets are counted in values. */
  readonly a: Int16Array;
  readonly aOff: readonly number[];
  readonly segments: number;
  readonly segStride: number;
  readonly segValues: number;
  /** int8 [n][segments · segValues]. */
  readonly weight: Int8Array;
  readonly n: number;
  readonly bias: Int32Array;
  readonly scale: Float32Array;
  readonly result: Result;
  /** Byte added to the address of `a`: halos start anywhere. */
  readonly misalignment?: number;
}

/** A u7 result is int16 for igemm_s16 and uint8 for igemm_u7. */
const RESULTS = {
  s16: { lo: -2047, hi: 2047 },
  u7: { lo: 0, hi: 127 },
  s8: { lo: -127, hi: 127 },
  f32: { lo: 0, hi: 0 },
} as const;

/** Values between two rows of C that no kernel may touch. */
const GAP_BYTES = 16;

export interface IgemmOutput {
  /** [rows][n], bit patterns for f32. */
  readonly values: number[];
  readonly touchedGaps: number;
  readonly brokenGuards: number[];
}

/** Packs, runs and reads back; rows of C are written in reverse order with gaps between them. */
export function runIgemm(
  exports: KernelExports,
  domain: Domain,
  problem: IgemmProblem,
  outKind: OutKind = defaultOutKind(domain, problem.result),
  form: IgemmName = `igemm_${domain}`,
): IgemmOutput {
  const arena = new Arena(exports);
  const k = problem.segments * problem.segValues;
  const nPadded = roundUp(problem.n, 8);
  const rows = roundUp(problem.aOff.length, TILE_ROWS);
  const bytesIn = domain === "s16" ? 2 : 1;
  const bytesOut = outKind === OutKind.f32 ? 4 : outKind === OutKind.u7AsUint8 ? 1 : 2;
  const rowBytes = nPadded * bytesOut + GAP_BYTES;

  const a = arena.put(
    domain === "s16" ? problem.a : Uint8Array.from(problem.a),
    problem.misalignment,
  );
  const pack = domain === "s16" ? packWeightsS16 : packWeightsU7;
  const b = arena.put(pack(problem.weight, problem.n, k, problem.segments));
  const bias = arena.put(padded(problem.bias, new Int32Array(nPadded)));
  const scale = arena.put(padded(problem.scale, new Float32Array(nPadded)));
  const last = problem.aOff.length - 1;
  const rowOf = (i: number) => Math.min(i, last);
  const aOff = arena.put(
    Uint32Array.from({ length: rows }, (_, i) => problem.aOff[rowOf(i)]! * bytesIn),
  );
  const cOff = arena.put(
    Uint32Array.from({ length: rows }, (_, i) => (last - rowOf(i)) * rowBytes),
  );
  const c = arena.alloc((last + 1) * rowBytes);
  const { lo, hi } = RESULTS[problem.result];
  exports[form]!(
    a,
    aOff,
    rows,
    problem.segments,
    problem.segStride * bytesIn,
    roundUp(problem.segValues * bytesIn, 4),
    b,
    bias,
    scale,
    c,
    cOff,
    nPadded,
    outKind,
    lo,
    hi,
  );

  const values: number[] = [];
  let touchedGaps = 0;
  for (let i = last; i >= 0; i--) {
    const row = arena.bytes(c + i * rowBytes, rowBytes);
    const elements = viewOf(row, outKind, nPadded);
    for (let j = 0; j < problem.n; j++) values.push(elements[j]!);
    for (let j = nPadded * bytesOut; j < rowBytes; j++) if (row[j] !== 0xa5) touchedGaps++;
  }
  return { values, touchedGaps, brokenGuards: arena.brokenGuards() };
}

function defaultOutKind(domain: Domain, result: Result): OutKind {
  if (result === "f32") return OutKind.f32;
  if (result !== "u7") return OutKind.s16;
  return domain === "s16" ? OutKind.u7AsInt16 : OutKind.u7AsUint8;
}

/** float32 results as bit patterns, so that comparing numbers compares bits. */
function viewOf(row: Uint8Array<ArrayBuffer>, outKind: OutKind, n: number): NumericArray {
  if (outKind === OutKind.f32) return new Uint32Array(row.buffer, 0, n);
  if (outKind === OutKind.u7AsUint8) return row;
  return new Int16Array(row.buffer, 0, n);
}

function padded<T extends Int32Array | Float32Array>(values: T, into: T): T {
  into.set(values);
  return into;
}
