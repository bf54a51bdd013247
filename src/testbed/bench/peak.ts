import { Arena } from "../../engine/arena.ts";
import { loadModule } from "../../engine/loadModule.ts";
import type { PeakKind } from "./case.ts";

type Loop = (passes: number, base: number) => void;

/** Exports of peak.{scalar,simd,relaxed}.wasm. */
interface PeakExports {
  heap_base(): number;
  macs_per_product(): number;
  products_per_pass(): number;
  readonly registers_4x8: Loop;
  readonly registers_4x16: Loop;
  readonly registers_dot4_4x8: Loop;
  readonly registers_dot4_4x16: Loop;
  readonly registers_sum4_2x16: Loop;
  readonly l1: Loop;
  readonly l1_dot4: Loop;
  f32_pairs_per_pass(): number;
  readonly f32_registers: Loop;
  f32_sweep(base: number, bytes: number): void;
}

/** One loop of nothing but multiply-accumulates. */
export interface PeakLoop {
  readonly macs: number;
  readonly run: () => void;
}

/** The ceiling of one instruction mix. */
export interface Peak {
  readonly kind: PeakKind;
  /** The fastest of all loops: in most, each operand loaded serves four products. */
  readonly registers: PeakLoop;
  /** Each product loads an operand from L1; of `sum4` the same loop, whose weights come from there. */
  readonly l1: PeakLoop;
}

/** About 30 microseconds on a 4 GHz core, except in scalar code. */
const PASSES = 50;

const TRIAL_RUNS = 200;

/** What `f32_registers` reads and writes, rounded up. */
const F32_LOOP_BYTES = 256;

const SOURCES = {
  i32: () => import("../../engine/wasm/peak.scalar.ts"),
  s16: () => import("../../engine/wasm/peak.simd.ts"),
  u7: () => import("../../engine/wasm/peak.relaxed.ts"),
  sum4: () => import("../../engine/wasm/peak.relaxed.ts"),
} as const;

/** @throws WebAssembly.CompileError when this engine lacks the instructions */
export async function openPeak(kind: PeakKind): Promise<Peak> {
  const { wasmHex } = await SOURCES[kind]();
  const { exports, memory } = await loadModule<PeakExports>(wasmHex);
  // The time does not depend on the values.
  const base = exports.heap_base();
  new Uint8Array(memory.buffer, base, 16384).fill(0x03);
  const macs = PASSES * exports.products_per_pass() * exports.macs_per_product();
  const fastest = (...loops: readonly Loop[]): PeakLoop => {
    const candidates = loops.map((loop) => ({ macs, run: () => loop(PASSES, base) }));
    const times = candidates.map(({ run }) => bestMs(run));
    return candidates[times.indexOf(Math.min(...times))]!;
  };
  const sum4 = fastest(exports.registers_sum4_2x16);
  if (kind === "sum4") return { kind, registers: sum4, l1: sum4 };
  const dot4 = kind === "u7";
  const streamed = dot4 ? [exports.l1, exports.l1_dot4] : [exports.l1];
  const tiles = [exports.registers_4x8, exports.registers_4x16];
  if (dot4) tiles.push(exports.registers_dot4_4x8, exports.registers_dot4_4x16);
  return { kind, registers: fastest(...tiles, ...streamed), l1: fastest(...streamed) };
}

/** The two ceilings of a time step of the wave equation, in 128-bit SIMD. */
export interface F32Bounds {
  /** f32 products and sums in registers, one of each counted as one multiply-accumulate. */
  readonly registers: PeakLoop;
  /** One sweep over fields of the grid's size, with next to no arithmetic. */
  readonly sweep: () => void;
}

/** @param bytes of one field of the grid */
export async function openF32Bounds(bytes: number): Promise<F32Bounds> {
  const { wasmHex } = await SOURCES.s16();
  const { exports, memory } = await loadModule<PeakExports>(wasmHex);
  const arena = new Arena(memory, exports.heap_base());
  // The loop begins with ones and leaves its results behind them; the sweep runs over zeros.
  const base = arena.alloc(F32_LOOP_BYTES);
  const fields = arena.alloc(3 * bytes);
  arena.view(Float32Array, base, 4).fill(1);
  const run = () => exports.f32_registers(PASSES, base);
  return {
    registers: { macs: PASSES * exports.f32_pairs_per_pass() * 4, run },
    sweep: () => exports.f32_sweep(fields, bytes),
  };
}

function bestMs(run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TRIAL_RUNS; i++) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
