import type { PlacedLayer } from "./linear.ts";
import type { ModelFile } from "./modelFile.ts";
import type { Step } from "./step.ts";
import type { Matrix, Transformer } from "./transformer.ts";

/** A residual stream x, and what a block needs to compute its additions to it. */
export interface Residual {
  readonly x: Matrix;
  readonly normed: Matrix;
  readonly attended: Matrix;
  readonly hidden: Matrix;
  /** What is added to x. */
  readonly delta: Matrix;
}

/** The layers that fusion and cross blocks have in common. */
export interface BlockLayers {
  readonly name: string;
  readonly out: PlacedLayer;
  readonly up: PlacedLayer;
  readonly down: PlacedLayer;
}

/** Matrices for x's rows, shared by all blocks of a stream. */
export function allocResidual(transformer: Transformer, file: ModelFile, x: Matrix): Residual {
  const { width, mlp } = file.config.central;
  const { rows } = x.table;
  const { activations } = transformer;
  return {
    x,
    normed: transformer.matrix(rows, width, activations),
    attended: transformer.matrix(rows, width, activations),
    hidden: transformer.matrix(rows, mlp, "u7"),
    delta: transformer.matrix(rows, width, "f32"),
  };
}

/** Block `i` of a kind is named as in the file: `fusion0`, `cross1`. */
export function readBlocks(
  transformer: Transformer,
  file: ModelFile,
  kind: "fusion" | "cross",
  count: number,
): BlockLayers[] {
  const { width, mlp } = file.config.central;
  const { activations } = transformer;
  return Array.from({ length: count }, (_, i) => {
    const name = `${kind}${i}`;
    return {
      name,
      out: transformer.layer(`${name}.out`, width, width, activations),
      up: transformer.layer(`${name}.up`, width, mlp, activations),
      down: transformer.layer(`${name}.down`, mlp, width, "u7"),
    };
  });
}

/** x += down(up(norm(x))) over the first `rows` rows. */
export function mlpSteps(
  transformer: Transformer,
  { name, up, down }: BlockLayers,
  { x, normed, hidden, delta }: Residual,
  rows: number,
): Step[] {
  return [
    transformer.normTo(`${name}.mlp.norm`, x, normed, rows),
    transformer.dense(up, normed, hidden, rows),
    transformer.dense(down, hidden, delta, rows),
    transformer.add(`${name}.mlp.add`, x, delta, rows),
  ];
}
