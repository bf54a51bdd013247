import type { CentralExports } from "../engine/kernels.ts";
import type { Build } from "./build.ts";
import { inputPixelOffsets, planDecoder } from "./decoderPlan.ts";
import type { PlacedLayer } from "./linear.ts";
import type { ModelFile } from "./modelFile.ts";
import { countOf, latentShape } from "./shapes.ts";
import type { Step } from "./step.ts";
import { CODE_MAX } from "./storage.ts";
import { type Matrix, Transformer } from "./transformer.ts";

/** The central network as kernel calls over fixed places in module memory. */
export interface CentralPlan {
  /** int8 [devices][slots][channels]: the caller writes present latents here, one after another. */
  readonly latents: number;
  /** The caller writes here, before `central` runs, which device each of those latents is of. */
  readonly presentDevices: Uint16Array;
  /** Fusion and cross-attention for i + 1 present devices. */
  readonly central: readonly (readonly Step[])[];
  readonly decoder: readonly Step[];
  /** f32 [map], m/s: here the last decoder step leaves the map. */
  readonly map: number;
}

/** What both kinds of block need to close: x += out(attended); x += down(up(norm(x))). */
interface Residual {
  readonly x: Matrix;
  readonly normed: Matrix;
  readonly attended: Matrix;
  readonly hidden: Matrix;
  /** What is added to x. */
  readonly delta: Matrix;
}

interface BlockLayers {
  readonly name: string;
  readonly out: PlacedLayer;
  readonly up: PlacedLayer;
  readonly down: PlacedLayer;
}

/** @throws WeightsError when the file's tensors are not those its config describes */
export function planCentral(build: Build<CentralExports>, file: ModelFile): CentralPlan {
  const { geometry, latent, central } = file.config;
  const devices = geometry.devices.length;
  const transformer = new Transformer(build, file, devices * latent.slots);
  const latents = build.arena.alloc(devices * countOf(latentShape(file.config)));
  const presentDevices = new Uint16Array(devices);
  const tokens = planTokens(build, transformer, file, latents, presentDevices);
  const fusion = planFusion(transformer, file, tokens.x);
  const decoder = planDecoder(build, file);
  const queries = central.grid[0] * central.grid[1];
  const cross = planCross(transformer, file, queries, fusion.context);
  const pixels = build.arena.place(inputPixelOffsets(decoder.input));
  const toImage = transformer.norm("image", cross.y, decoder.input.address, pixels, queries);
  const steps = (present: number) => {
    const count = present * latent.slots;
    return [...tokens.steps(present), ...fusion.steps(count), ...cross.steps(count), toImage];
  };
  return {
    latents,
    presentDevices,
    central: Array.from({ length: devices }, (_, i) => steps(i + 1)),
    decoder: decoder.steps,
    map: decoder.map,
  };
}

/** x = tokens(latent) + position, over the latents of present devices. */
function planTokens(
  { exports }: Build<CentralExports>,
  transformer: Transformer,
  file: ModelFile,
  latents: number,
  presentDevices: Uint16Array,
): { x: Matrix; steps: (present: number) => Step[] } {
  const { geometry, latent, central } = file.config;
  const rows = geometry.devices.length * latent.slots;
  const codes = transformer.matrix(rows, latent.channels, "s16");
  const x = transformer.matrix(rows, central.width, "f32");
  const { width } = central;
  const layer = transformer.layer("tokens", latent.channels, width, "s16", CODE_MAX.latent);
  const position = transformer.constant("tokens.position", rows, width, "f32");
  const deviceValues = latent.slots * width;
  const deviceBytes = latent.slots * x.rowBytes;
  const unpack = (present: number) => () =>
    exports.unpack_s8(latents, codes.address, present * countOf(latentShape(file.config)));
  const addPositions = (present: number) => () => {
    for (let i = 0; i < present; i++) {
      const from = position.address + presentDevices[i]! * deviceBytes;
      exports.add_f32(x.address + i * deviceBytes, from, deviceValues);
    }
  };
  return {
    x,
    steps: (present) => [
      { name: "tokens.unpack", macs: 0, run: unpack(present) },
      transformer.dense(layer, codes, x, present * latent.slots),
      { name: "tokens.position", macs: 0, run: addPositions(present) },
    ],
  };
}

/** Self-attention blocks over x; the context is the norm of the last one's x. */
function planFusion(
  transformer: Transformer,
  file: ModelFile,
  x: Matrix,
): { context: Matrix; steps: (tokens: number) => Step[] } {
  const { width, attention, fusionBlocks } = file.config.central;
  const residual = allocResidual(transformer, file, x);
  const qkv = transformer.matrix(x.table.rows, 3 * width, "s16");
  const part = (index: number) => ({ matrix: qkv, offset: (index * qkv.rowBytes) / 3 });
  const blocks = names("fusion", fusionBlocks).map((name) => ({
    qkv: transformer.layer(`${name}.qkv`, width, 3 * width, "s16"),
    ...readBlock(transformer, file, name),
  }));
  const { normed, attended } = residual;
  const blockSteps = (block: (typeof blocks)[number], rows: number): Step[] => {
    const { name } = block;
    const [q, k, v] = [part(0), part(1), part(2)];
    const scales = attention[name]!;
    return [
      transformer.normTo(`${name}.norm`, x, normed, rows),
      transformer.dense(block.qkv, normed, qkv, rows),
      transformer.attention(`${name}.attention`, scales, q, k, v, attended, rows, rows),
      transformer.dense(block.out, attended, residual.delta, rows),
      transformer.add(`${name}.add`, x, residual.delta, rows),
      ...mlpSteps(transformer, block, residual, rows),
    ];
  };
  return {
    context: normed,
    steps: (tokens) => [
      ...blocks.flatMap((block) => blockSteps(block, tokens)),
      transformer.normTo("context.norm", x, normed, tokens),
    ],
  };
}

/** Cross-attention blocks: a constant query per cell of the grid reads from the context. */
function planCross(
  transformer: Transformer,
  file: ModelFile,
  queries: number,
  context: Matrix,
): { y: Matrix; steps: (tokens: number) => Step[] } {
  const { width, attention, crossBlocks } = file.config.central;
  const y = transformer.matrix(queries, width, "f32");
  const residual = allocResidual(transformer, file, y);
  const value = transformer.constant("query.value", queries, width, "f32");
  const firstQ = transformer.constant("cross0.q", queries, width, "s16");
  const laterQ = transformer.matrix(queries, width, "s16");
  const kv = transformer.matrix(context.table.rows, 2 * width, "s16");
  const blocks = names("cross", crossBlocks).map((name, i) => ({
    q: i === 0 ? undefined : transformer.layer(`${name}.q`, width, width, "s16"),
    kv: transformer.layer(`${name}.kv`, width, 2 * width, "s16"),
    ...readBlock(transformer, file, name),
  }));
  const { normed, attended, delta } = residual;
  const querySteps = ({ name, q }: (typeof blocks)[number]): Step[] =>
    q === undefined
      ? []
      : [
          transformer.normTo(`${name}.norm`, y, normed, queries),
          transformer.dense(q, normed, laterQ, queries),
        ];
  // y starts as `value`; the sum is the same in either order, so the first block writes y and adds it.
  const sumSteps = (block: (typeof blocks)[number]): Step[] => {
    const [to, addend] = block.q === undefined ? [y, value] : [delta, delta];
    return [
      transformer.dense(block.out, attended, to, queries),
      transformer.add(`${block.name}.add`, y, addend, queries),
    ];
  };
  const blockSteps = (block: (typeof blocks)[number], tokens: number): Step[] => {
    const q = { matrix: block.q === undefined ? firstQ : laterQ, offset: 0 };
    const k = { matrix: kv, offset: 0 };
    const v = { matrix: kv, offset: kv.rowBytes / 2 };
    const { name } = block;
    const scales = attention[name]!;
    return [
      ...querySteps(block),
      transformer.dense(block.kv, context, kv, tokens),
      transformer.attention(`${name}.attention`, scales, q, k, v, attended, queries, tokens),
      ...sumSteps(block),
      ...mlpSteps(transformer, block, residual, queries),
    ];
  };
  return { y, steps: (tokens) => blocks.flatMap((block) => blockSteps(block, tokens)) };
}

function allocResidual(transformer: Transformer, file: ModelFile, x: Matrix): Residual {
  const { width, mlp } = file.config.central;
  const { rows } = x.table;
  return {
    x,
    normed: transformer.matrix(rows, width, "s16"),
    attended: transformer.matrix(rows, width, "s16"),
    hidden: transformer.matrix(rows, mlp, "u7"),
    delta: transformer.matrix(rows, width, "f32"),
  };
}

function readBlock(transformer: Transformer, file: ModelFile, name: string): BlockLayers {
  const { width, mlp } = file.config.central;
  return {
    name,
    out: transformer.layer(`${name}.out`, width, width, "s16"),
    up: transformer.layer(`${name}.up`, width, mlp, "s16"),
    down: transformer.layer(`${name}.down`, mlp, width, "u7"),
  };
}

function mlpSteps(
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

function names(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${kind}${i}`);
}
