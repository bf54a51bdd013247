import { instantiateModule } from "../../engine/instantiate.ts";
import type { PeakKind } from "./case.ts";

/** Exports of peak.{scalar,simd,relaxed}.wasm. */
interface PeakExports {
  heap_base(): number;
  macs_per_step(): number;
  chains_wide(): number;
  chains_narrow(): number;
  chains_l1(): number;
  registers_wide(iterations: number): number;
  registers_narrow(iterations: number): number;
  l1(iterations: number): number;
}

/** One loop of nothing but multiply-accumulates. */
export interface PeakLoop {
  readonly macs: number;
  readonly run: () => void;
}

/** The ceiling of one instruction mix. */
export interface Peak {
  readonly kind: PeakKind;
  /** All operands in registers, in the form that this engine compiles best. */
  readonly registers: PeakLoop;
  /** One operand of each multiplication streamed from L1. */
  readonly l1: PeakLoop;
}

/** About 40 microseconds on a 3.6 GHz core, except in scalar code. */
const ITERATIONS = 20000;

const TRIAL_RUNS = 200;

const SOURCES = {
  i32: () => import("../../engine/wasm/peak.scalar.ts"),
  s16: () => import("../../engine/wasm/peak.simd.ts"),
  u7: () => import("../../engine/wasm/peak.relaxed.ts"),
} as const;

/** @throws WebAssembly.CompileError when this engine lacks the instructions */
export async function openPeak(kind: PeakKind): Promise<Peak> {
  const { wasmBase64 } = await SOURCES[kind]();
  const { exports, memory } = await instantiateModule<PeakExports>(wasmBase64);
  // Odd operands keep products from dying out; the time does not depend on them.
  new Uint8Array(memory.buffer, exports.heap_base(), 8192).fill(0x03);
  const perStep = ITERATIONS * exports.macs_per_step();
  const wide: PeakLoop = {
    macs: perStep * exports.chains_wide(),
    run: () => void exports.registers_wide(ITERATIONS),
  };
  const narrow: PeakLoop = {
    macs: perStep * exports.chains_narrow(),
    run: () => void exports.registers_narrow(ITERATIONS),
  };
  const l1: PeakLoop = {
    macs: perStep * exports.chains_l1(),
    run: () => void exports.l1(ITERATIONS),
  };
  return {
    kind,
    registers: bestRate(wide) >= bestRate(narrow) ? wide : narrow,
    l1,
  };
}

function bestRate({ macs, run }: PeakLoop): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TRIAL_RUNS; i++) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return macs / best;
}
