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
/** Times that a module gets to show its speed. */
const ROUNDS = 3;
const RUNS = 5;

interface Timed {
  readonly exports: KernelExports;
  readonly arena: Arena;
  readonly name: ModuleName;
  readonly forms: IgemmForms;
}

/**
 * Whether a few products of the kind that fills a model take no longer in the first module than in the second, each in the
 * form it would run them in. It decides nothing else, as all modules give the same bits. Half a millisecond for most: the
 * first module is timed again while it seems slower, for it may have run ahead of the optimising compiler.
 */
export function isNotSlower(first: Timed, second: Timed): boolean {
  const [one, other] = [igemmTimer(first), igemmTimer(second)];
  let [oneMs, otherMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < ROUNDS && (round === 0 || oneMs > otherMs); round++) {
    oneMs = Math.min(oneMs, one.bestMs());
    otherMs = Math.min(otherMs, other.bestMs());
  }
  one.release();
  other.release();
  return oneMs <= otherMs;
}

function igemmTimer({ exports, arena, name, forms }: Timed) {
  const mark = arena.mark();
  const uint8 = usesUint8Activations(name);
  const kind = uint8 ? OutKind.u7AsUint8 : OutKind.u7AsInt16;
  const input = uint8 ? "u7" : "s16";
  const form = uint8 ? forms.u7 : forms.s16;
  const product = igemmCase(exports, arena, input, SHAPE, 1, form);
  const bestMs = () => {
    let best = Number.POSITIVE_INFINITY;
    for (let batch = 0; batch < BATCHES; batch++) {
      const start = performance.now();
      for (let run = 0; run < RUNS; run++) product.run(kind, 0, 127);
      best = Math.min(best, performance.now() - start);
    }
    return best;
  };
  return { bestMs, release: () => arena.release(mark) };
}
