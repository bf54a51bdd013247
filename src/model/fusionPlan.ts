import type { PlacedLayer } from "./linear.ts";
import type { ModelFile } from "./modelFile.ts";
import { allocResidual, type BlockLayers, mlpSteps, readBlocks } from "./residual.ts";
import type { Step } from "./step.ts";
import type { Matrix, Transformer } from "./transformer.ts";

/** Self-attention blocks over the tokens of all present devices. */
export interface FusionPlan {
  /** s16 [tokens][width]: the norm of the last block's x. */
  readonly context: Matrix;
  readonly steps: (tokens: number) => Step[];
}

interface FusionBlock extends BlockLayers {
  readonly qkv: PlacedLayer;
}

/** Per block: x += out(attention(qkv(norm(x)))), then the two-layer part. */
export function planFusion(transformer: Transformer, file: ModelFile, x: Matrix): FusionPlan {
  const { width, attention, fusionBlocks } = file.config.central;
  const { activations } = transformer;
  const residual = allocResidual(transformer, file, x);
  const { normed, attended, delta } = residual;
  const qkv = transformer.matrix(x.table.rows, 3 * width, "s16");
  const q = { matrix: qkv, offset: 0 };
  const k = { matrix: qkv, offset: qkv.rowBytes / 3 };
  const v = { matrix: qkv, offset: (2 * qkv.rowBytes) / 3 };
  const blocks: FusionBlock[] = readBlocks(transformer, file, "fusion", fusionBlocks).map(
    (block) => ({
      ...block,
      qkv: transformer.layer(`${block.name}.qkv`, width, 3 * width, activations),
    }),
  );

  const blockSteps = (block: FusionBlock, rows: number): Step[] => {
    const { name } = block;
    const scales = attention[name]!;
    return [
      transformer.normTo(`${name}.norm`, x, normed, rows),
      transformer.dense(block.qkv, normed, qkv, rows),
      transformer.attention(`${name}.attention`, scales, q, k, v, attended, rows, rows),
      transformer.dense(block.out, attended, delta, rows),
      transformer.add(`${name}.add`, x, delta, rows),
      ...mlpSteps(transformer, block, residual, rows),
    ];
  };
  const steps = (tokens: number): Step[] => [
    ...blocks.flatMap((block) => blockSteps(block, tokens)),
    transformer.normTo("context.norm", x, normed, tokens),
  ];
  return { context: normed, steps };
}
