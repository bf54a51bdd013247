import type { Arena } from "./arena.ts";
import { igemmCase } from "./igemmCase.ts";
import { type IgemmForms, type IgemmName, type KernelExports, OutKind } from "./kernels.ts";

const SHAPE = { rows: 32, segments: 1, segment: 64, n: 32 };
const BATCHES = 10;
const RUNS = 5;
/** Times that the relaxed products get to show their speed. */
const ROUNDS = 12;
const EMULATED_FACTOR = 2;

interface Timed {
  readonly exports: KernelExports;
  readonly arena: Arena;
  readonly forms: IgemmForms;
}

/**
 * Whether the products of the relaxed module take far longer than the plain ones that it has as well, as they do where an
 * engine emulates relaxed instructions; else they are never slower. A closer call would be chance, because timing may run
 * ahead of the optimising compiler: so it is timed again while it seems slow, half a millisecond each. It decides nothing
 * else, as all modules give the same bits.
 */
export function isEmulated(relaxed: Timed): boolean {
  const { arena, forms } = relaxed;
  const mark = arena.mark();
  const [bytes, words] = [product(relaxed, "u7", forms.u7), product(relaxed, "s16", forms.s16)];
  let [bytesMs, wordsMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const seemsSlow = () => bytesMs > EMULATED_FACTOR * wordsMs;
  for (let round = 0; round < ROUNDS && (round === 0 || seemsSlow()); round++) {
    bytesMs = Math.min(bytesMs, bestMs(bytes));
    wordsMs = Math.min(wordsMs, bestMs(words));
  }
  arena.release(mark);
  return seemsSlow();
}

/** One of the kind that fills a model. */
function product({ exports, arena }: Timed, input: "u7" | "s16", form: IgemmName): () => void {
  const { run } = igemmCase(exports, arena, input, SHAPE, 1, form);
  const kind = input === "u7" ? OutKind.u7AsUint8 : OutKind.u7AsInt16;
  return () => run(kind, 0, 127);
}

function bestMs(run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < BATCHES; batch++) {
    const start = performance.now();
    for (let i = 0; i < RUNS; i++) run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
