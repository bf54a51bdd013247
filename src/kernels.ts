/**
 * The kernels by themselves, for embedding and micro-benchmarks: `epic-wasm/kernels`.
 *
 *     const { exports, arena, name } = await openKernels("central");
 *     const x = arena.place(new Float32Array(96));
 *     const y = arena.place(new Float32Array(96));
 *     exports.add_f32(x, y, 96);
 *     const sum = arena.view(Float32Array, x, 96);
 *
 * docs/abi.md has the arguments of every kernel, docs/numbers.md what each computes.
 */
import { centralModules } from "./engine/centralModules.ts";
import { edgeModules } from "./engine/edgeModules.ts";
import type { CentralExports, EdgeExports, ModuleName } from "./engine/kernels.ts";
import { type OpenModule, openModule } from "./engine/openModule.ts";

export { Arena } from "./engine/arena.ts";
export * from "./engine/kernels.ts";
export type { OpenModule } from "./engine/openModule.ts";

/**
 * Opens one side's kernels in a memory of their own.
 * @param side which kernels: the encoder's or the central node's
 * @param module this build and no other; by default the best that runs here and passes its self-test
 * @throws RangeError when `side` or `module` is none, or the engine lacks the module's instructions
 */
export function openKernels(side: "edge", module?: ModuleName): Promise<OpenModule<EdgeExports>>;
export function openKernels(
  side: "central",
  module?: ModuleName,
): Promise<OpenModule<CentralExports>>;
export async function openKernels(
  side: "edge" | "central",
  module?: ModuleName,
): Promise<OpenModule<EdgeExports> | OpenModule<CentralExports>> {
  const options = module === undefined ? {} : { module };
  if (side === "edge") return openModule(edgeModules, options);
  if (side === "central") return openModule(centralModules, options);
  throw new RangeError(`side: expected edge or central, got ${String(side)}`);
}
