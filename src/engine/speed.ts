import type { Arena } from "./arena.ts";
import { igemmCase } from "./igemmCase.ts";
import { type KernelExports, type ModuleName, OutKind, usesUint8Activations } from "./kernels.ts";

const SHAPE = { rows: 32, segments: 1, segment: 64, n: 32 };
const BATCHES = 10;
const RUNS = 5;

/**
 * Best time of a few products of the kind that fills a model, in the form this module would run
 * them in. About half a millisecond in all: enough to see an emulated instruction, and it decides
 * nothing else, as all modules give the same bits.
 */
export function igemmTimeMs(exports: KernelExports, arena: Arena, module: ModuleName): number {
  const mark = arena.mark();
  const uint8 = usesUint8Activations(module);
  const kind = uint8 ? OutKind.u7AsUint8 : OutKind.u7AsInt16;
  const product = igemmCase(exports, arena, uint8 ? "u7" : "s16", SHAPE, 1);
  let best = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < BATCHES; batch++) {
    const start = performance.now();
    for (let run = 0; run < RUNS; run++) product.run(kind, 0, 127);
    best = Math.min(best, performance.now() - start);
  }
  arena.release(mark);
  return best;
}
