import type { CentralExports, EdgeExports } from "../../engine/kernels.ts";
import type { Build } from "../../model/build.ts";

/** Exports of both sides; a case uses those of its own side. */
export type BenchBuild = Build<EdgeExports & CentralExports>;

/** Instructions whose measured peak a rate is compared with. */
export type PeakKind = "i32" | "s16" | "u7" | "sum4";

/** One kernel on one module, its inputs in place. */
export interface Job {
  /** Multiply-accumulates that count, 0 where the kernel is not made of them. */
  readonly macs: number;
  /** Which peak `macs` are measured against; absent where macs is 0. */
  readonly peak?: PeakKind;
  readonly run: () => void;
  /** What the last run left, in a form that is the same for every module. */
  readonly output: () => ArrayLike<number>;
}

/** A kernel and sizes to run it at. */
export interface BenchCase {
  readonly name: string;
  /** File of `bench/kernels/` it belongs to. */
  readonly kernel: string;
  readonly side: "edge" | "central";
  readonly place: (build: BenchBuild) => Job;
}
