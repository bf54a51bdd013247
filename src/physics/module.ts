import { loadModule } from "../engine/loadModule.ts";

/** Exports of physics.wasm; pointers and byte counts are numbers (`assembly/physics.ts`). */
export interface PhysicsExports extends Record<string, unknown> {
  /** First byte of memory that is the host's. */
  heap_base(): number;
  /** One time step of the grid at `grid`, without a source. */
  acoustic2d_step(grid: number): void;
  /** One shot; see `assembly/physics.ts` for the arrays. */
  acoustic2d_shot(
    grid: number,
    source: number,
    pulse: number,
    pulseLength: number,
    receivers: number,
    receiverCount: number,
    record: number,
    steps: number,
    windows: number,
  ): void;
}

/** Builds of physics.wasm; both compute the same bits. */
export type PhysicsModuleName = "scalar" | "simd";

export interface PhysicsModule {
  readonly exports: PhysicsExports;
  readonly memory: WebAssembly.Memory;
}

/** Instantiates a build of physics.wasm with a memory of its own. */
export async function loadPhysicsModule(name: PhysicsModuleName): Promise<PhysicsModule> {
  const { wasmHex } =
    name === "simd"
      ? await import("../engine/wasm/physics.simd.ts")
      : await import("../engine/wasm/physics.scalar.ts");
  return loadModule<PhysicsExports>(wasmHex);
}
