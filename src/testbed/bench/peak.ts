import { instantiateModule } from "../../engine/instantiate.ts";
import type { PeakKind } from "./case.ts";

/** Exports of peak.{scalar,simd,relaxed}.wasm. */
interface PeakExports {
  heap_base(): number;
  macs_per_iteration(): number;
  registers(iterations: number): number;
  l1(iterations: number): number;
}

/** A loop of nothing but multiply-accumulates: the ceiling of one instruction mix. */
export interface Peak {
  readonly kind: PeakKind;
  readonly macs: number;
  /** All operands in registers. */
  readonly registers: () => void;
  /** One operand of each multiplication streamed from L1. */
  readonly l1: () => void;
}

/** About 40 microseconds on a 3.6 GHz core, except in scalar code. */
const ITERATIONS = 20000;

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
  return {
    kind,
    macs: ITERATIONS * exports.macs_per_iteration(),
    registers: () => void exports.registers(ITERATIONS),
    l1: () => void exports.l1(ITERATIONS),
  };
}
