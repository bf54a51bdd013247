import type { PlacedLayer } from "./linear.ts";
import type { ModelFile } from "./modelFile.ts";
import { allocResidual, type BlockLayers, mlpSteps, readBlocks } from "./residual.ts";
import type { Step } from "./step.ts";
import type { Columns, Matrix, Transformer } from "./transformer.ts";

/** Cross-attention blocks: one query per cell of the grid reads from the context. */
export interface CrossPlan {
  /** f32 [grid][width] */
  readonly y: Matrix;
  readonly steps: (tokens: number) => Step[];
}

interface CrossBlock extends BlockLayers {
  readonly kv: PlacedLayer;
  /** Absent in the first block: y does not depend on the data yet, so its queries are constants. */
  readonly q: PlacedLayer | undefined;
}

/** Per block: y += out(attention(q(norm(y)), kv(context))), then the two-layer part. */
export function planCross(transformer: Transformer, file: ModelFile, context: Matrix): CrossPlan {
  const { width, attention, crossBlocks, grid } = file.config.central;
  const { activations } = transformer;
  const rows = grid[0] * grid[1];
  const y = transformer.matrix(rows, width, "f32");
  const residual = allocResidual(transformer, file, y);
  const { normed, attended, delta } = residual;
  const start = transformer.constant("query.value", rows, width, "f32");
  const firstQ = transformer.constant("cross0.q", rows, width, "s16");
  const laterQ = transformer.matrix(rows, width, "s16");
  const kv = transformer.matrix(context.table.rows, 2 * width, "s16");
  const k: Columns = { matrix: kv, offset: 0 };
  const v: Columns = { matrix: kv, offset: kv.rowBytes / 2 };
  const blocks: CrossBlock[] = readBlocks(transformer, file, "cross", crossBlocks).map(
    (block, i) => ({
      ...block,
      kv: transformer.layer(`${block.name}.kv`, width, 2 * width, activations),
      q: i === 0 ? undefined : transformer.layer(`${block.name}.q`, width, width, activations),
    }),
  );

  const attend = ({ name, kv: layer }: CrossBlock, q: Matrix, tokens: number): Step[] => {
    const queries: Columns = { matrix: q, offset: 0 };
    const scales = attention[name]!;
    return [
      transformer.dense(layer, context, kv, tokens),
      transformer.attention(`${name}.attention`, scales, queries, k, v, attended, rows, tokens),
    ];
  };
  // y starts as a constant and f32 addition commutes: writing out(...) to y and adding the constant
  // gives the same bits without restoring y for every record.
  const firstSteps = (block: CrossBlock, tokens: number): Step[] => [
    ...attend(block, firstQ, tokens),
    transformer.dense(block.out, attended, y, rows),
    transformer.add(`${block.name}.add`, y, start, rows),
  ];
  const laterSteps = (block: CrossBlock, q: PlacedLayer, tokens: number): Step[] => [
    transformer.normTo(`${block.name}.norm`, y, normed, rows),
    transformer.dense(q, normed, laterQ, rows),
    ...attend(block, laterQ, tokens),
    transformer.dense(block.out, attended, delta, rows),
    transformer.add(`${block.name}.add`, y, delta, rows),
  ];
  const steps = (tokens: number): Step[] =>
    blocks.flatMap((block) => [
      ...(block.q ? laterSteps(block, block.q, tokens) : firstSteps(block, tokens)),
      ...mlpSteps(transformer, block, residual, rows),
    ]);
  return { y, steps };
}
