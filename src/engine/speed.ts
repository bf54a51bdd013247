import type { Arena } from "./arena.ts";
import { igemmCase } from "./igemmCase.ts";
import {
  type IgemmForms,
  type KernelExports,
  type ModuleName,
  OutKind,
  usesUint8Activations,
} from "./kernels.ts";

const SHAPE = { rows: 32, segments: 1, segment: 64, n: 32 };
const BATCHES = 10;
const RUNS = 5;

interface Timed {
  readonly exports: KernelExports;
  readonly arena: Arena;
  readonly name: ModuleName;
  readonly forms: IgemmForms;
}

/**
 * Best time of a few products of the kind that fills a model, in the form this module would run
 * them in. About half a millisecond in all: enough to see an emulated instruction, and it decides
 * nothing else, as all modules give the same bits.
 */
export function igemmTimeMs({ exports, arena, name, forms }: Timed): number {
  const mark = arena.mark();
  const uint8 = usesUint8Activations(name);
  const kind = uint8 ? OutKind.u7AsUint8 : OutKind.u7AsInt16;
  const product = igemmCase(
    exports,
    arena,
    uint8 ? "u7" : "s16",
    SHAPE,
    1,
    uint8 ? forms.u7 : forms.s16,
  );
  let best = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < BATCHES; batch++) {
    const start = performance.now();
    for (let run = 0; run < RUNS; run++) product.run(kind, 0, 127);
    best = Math.min(best, performance.now() - start);
  }
  arena.release(mark);
  return best;
}
