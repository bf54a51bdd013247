import { createHash } from "node:crypto";
import { seededIntegers } from "../../src/engine/seeded.ts";
import type { Conv1dLayer, ImageLayer, ModelConfig } from "../../src/model/config.ts";
import { randomTables } from "./latentTables.ts";
import { type RawTensor, writeSafetensors } from "./writeSafetensors.ts";

/** A random model: its config, its raw tensors and the two files that hold them. */
export interface TinyModel {
  readonly config: ModelConfig;
  readonly tensors: ReadonlyMap<string, RawTensor>;
  readonly edge: Uint8Array;
  readonly central: Uint8Array;
}

type Random = (lo: number, hi: number) => number;

/** What the tiny models differ in; the rest follows. */
export interface TinyShape {
  readonly shots: number;
  readonly samples: number;
  /** Of the largest device, and of each where `blocks` does not say otherwise. */
  readonly receivers: number;
  /** Receivers of each device where they differ. */
  readonly blocks?: readonly number[];
  readonly devices: number;
  readonly decimation: number;
  readonly taps: number;
  readonly edge: readonly Pick<Conv1dLayer, "out" | "kernel" | "stride" | "padding">[];
  readonly slots: number;
  readonly width: number;
  readonly heads: number;
  readonly mlp: number;
  readonly fusionBlocks: number;
  readonly crossBlocks: number;
  readonly grid: readonly [number, number];
  readonly decoder: readonly Pick<ImageLayer, "kind" | "out">[];
  readonly map: readonly [number, number];
  /** What norms and attention leave; s16 where absent. */
  readonly activations?: "u7";
  /** Weights of its dense layers; up to 127 where absent. */
  readonly denseWeightMax?: number;
}

/** Three devices; every layer kind; a map that is a crop of the last image. */
export const SMALL: TinyShape = {
  shots: 2,
  samples: 128,
  receivers: 4,
  devices: 3,
  decimation: 8,
  taps: 13,
  edge: [
    { out: 16, kernel: 9, stride: 1, padding: 4 },
    { out: 24, kernel: 3, stride: 2, padding: 1 },
    { out: 8, kernel: 1, stride: 1, padding: 0 },
  ],
  slots: 8,
  width: 16,
  heads: 2,
  mlp: 24,
  fusionBlocks: 2,
  crossBlocks: 1,
  grid: [3, 3],
  decoder: [
    { kind: "convT2d", out: 16 },
    { kind: "conv2d", out: 16 },
    { kind: "convT2d", out: 8 },
    { kind: "conv2d", out: 1 },
  ],
  map: [10, 11],
};

/**
 * Nothing even: 15 input channels, traces that end before the last filter does, four devices, two
 * cross blocks, an oblong grid with a number of queries that is no whole tile.
 */
export const ODD: TinyShape = {
  shots: 3,
  samples: 125,
  receivers: 5,
  devices: 4,
  decimation: 4,
  taps: 5,
  edge: [
    { out: 8, kernel: 9, stride: 2, padding: 4 },
    { out: 16, kernel: 5, stride: 2, padding: 2 },
  ],
  slots: 8,
  width: 24,
  heads: 3,
  mlp: 32,
  fusionBlocks: 1,
  crossBlocks: 2,
  grid: [2, 5],
  decoder: [
    { kind: "conv2d", out: 8 },
    { kind: "convT2d", out: 16 },
    { kind: "conv2d", out: 1 },
  ],
  map: [4, 7],
};

/** Another survey throughout: four devices with blocks of their own sizes, a map of 48 x 48. */
export const UNEVEN: TinyShape = {
  shots: 3,
  samples: 500,
  receivers: 14,
  blocks: [10, 14, 11, 13],
  devices: 4,
  decimation: 8,
  taps: 13,
  edge: [
    { out: 16, kernel: 9, stride: 2, padding: 4 },
    { out: 24, kernel: 5, stride: 2, padding: 2 },
    { out: 16, kernel: 3, stride: 2, padding: 1 },
  ],
  slots: 8,
  width: 16,
  heads: 2,
  mlp: 24,
  fusionBlocks: 1,
  crossBlocks: 1,
  grid: [6, 6],
  decoder: [
    { kind: "convT2d", out: 16 },
    { kind: "convT2d", out: 8 },
    { kind: "convT2d", out: 8 },
    { kind: "conv2d", out: 1 },
  ],
  map: [48, 48],
};

/**
 * A model of that shape with seeded random weights, scaled so that codes fill their ranges, and
 * tables of an entropy coder unless `tables` is false.
 */
export function tinyModel(shape: TinyShape, seed: number, { tables = true } = {}): TinyModel {
  const random = seededIntegers(seed);
  const config = tinyConfig(shape, random);
  const edgeTensors = new Map<string, RawTensor>();
  config.edge.layers.forEach((layer, i) => {
    const inputRms = i === 0 ? 4000 : 50;
    const outputRms = layer.output === "s8" ? 60 : 50;
    const weight = [layer.out, layer.kernel, layer.in];
    addLayer(edgeTensors, random, layer.name, weight, inputRms, outputRms);
  });
  const centralTensors = centralTensorsOf(config, random, shape.denseWeightMax);
  if (tables) {
    for (const [name, tensor] of tableTensors(config, seed)) {
      edgeTensors.set(name, tensor);
      centralTensors.set(name, tensor);
    }
  }
  const json = JSON.stringify(config);
  const edge = writeSafetensors(edgeTensors, { format: "epic-edge", config: json });
  const edgeSha256 = createHash("sha256").update(edge).digest("hex");
  const central = writeSafetensors(centralTensors, {
    format: "epic-central",
    config: json,
    edge_sha256: edgeSha256,
  });
  return { config, tensors: new Map([...edgeTensors, ...centralTensors]), edge, central };
}

function tableTensors({ latent }: ModelConfig, seed: number): Map<string, RawTensor> {
  const { slots, channels } = latent;
  const { frequencies, contexts } = randomTables(slots, channels, seed);
  return new Map<string, RawTensor>([
    ["latent.frequencies", { shape: [frequencies.length / 15, 15], data: frequencies }],
    ["latent.contexts", { shape: [slots, channels, 5], data: contexts }],
  ]);
}

/** Seeded traces of one device, silence, first arrivals and late noise alike. */
export function tinyTraces({ geometry }: ModelConfig, seed: number, device = 0): Float32Array {
  const random = seededIntegers(seed);
  const count = geometry.shots * geometry.samples * geometry.devices[device]!.receivers;
  return Float32Array.from({ length: count }, () => {
    const size = 10 ** random(-4, 1);
    return random(0, 9) === 0 ? 0 : (random(-10000, 10000) / 10000) * size;
  });
}

function tinyConfig(shape: TinyShape, random: Random): ModelConfig {
  const { shots, samples, receivers, devices, width, edge, decoder } = shape;
  const blocks = shape.blocks ?? new Array<number>(devices).fill(receivers);
  const lastEdge = edge.length - 1;
  const lastImage = decoder.length - 1;
  const names = [
    ...Array.from({ length: shape.fusionBlocks }, (_, i) => `fusion${i}`),
    ...Array.from({ length: shape.crossBlocks }, (_, i) => `cross${i}`),
  ];
  return {
    name: "tiny",
    format: 1,
    geometry: {
      shots,
      samples,
      receivers: sum(blocks),
      dtMs: 1,
      dxM: 10,
      map: shape.map,
      velocityMps: [1500, 4500],
      devices: blocks.map((count, i) => ({
        firstReceiver: sum(blocks.slice(0, i)),
        receivers: count,
      })),
    },
    latent: { slots: shape.slots, channels: edge[lastEdge]!.out },
    input: {
      decimation: shape.decimation,
      taps: Array.from({ length: shape.taps }, () => random(-100, 400) / 1024),
      gain: 1.25,
      compand: 8,
      step: 1638,
    },
    edge: {
      layers: edge.map((layer, i) => ({
        name: `enc${i}`,
        kind: "conv1d",
        in: i === 0 ? shots * receivers : edge[i - 1]!.out,
        ...layer,
        input: i === 0 ? "s16" : "u7",
        output: i === lastEdge ? "s8" : "u7",
      })),
    },
    central: {
      width,
      heads: shape.heads,
      mlp: shape.mlp,
      eps: 1e-5,
      qscale: 210,
      fusionBlocks: shape.fusionBlocks,
      crossBlocks: shape.crossBlocks,
      grid: shape.grid,
      ...(shape.activations && { activations: shape.activations }),
      attention: Object.fromEntries(
        names.map((name) => [
          name,
          { scoreScale: 3e-6, ...(!shape.activations && { outScale: 1.5 / 16383 }) },
        ]),
      ),
      decoder: decoder.map((layer, i) => ({
        name: `dec${i}`,
        in: i === 0 ? width : decoder[i - 1]!.out,
        ...layer,
        input: i === 0 ? "s16" : "u7",
        output: i === lastImage ? "f32" : "u7",
      })),
    },
    training: { seed: 1 },
    metrics: {},
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function centralTensorsOf(
  { geometry, latent, central }: ModelConfig,
  random: Random,
  denseWeightMax = 127,
) {
  const tensors = new Map<string, RawTensor>();
  const { width, mlp, grid } = central;
  const isBytes = central.activations === "u7";
  // As of ranges half filled around a zero in the middle: what codes are apart from their zeros.
  const [normedRms, attendedRms] = isBytes ? [70, 70] : [210, 400];
  const addCodes = (name: string, factor: number) => {
    const scale = Float32Array.from({ length: width }, () => (factor * random(500, 1500)) / 1000);
    const zero = Int32Array.from({ length: width }, () => random(0, 127));
    tensors.set(`${name}.scale`, { shape: [width], data: scale });
    tensors.set(`${name}.zero`, { shape: [width], data: zero });
  };
  const addNorm = (name: string) => {
    if (isBytes) addCodes(name, 20);
  };
  const add = (name: string, shape: number[], inputRms: number, outputRms: number) => {
    const weightMax = shape.length === 2 ? denseWeightMax : 127;
    addLayer(tensors, random, name, shape, inputRms, outputRms, weightMax);
  };
  const addConstant = (name: string, rows: number, type: "F32" | "I16") => {
    const values = Array.from({ length: rows * width }, () => random(-2000, 2000));
    const data =
      type === "F32" ? Float32Array.from(values, (v) => v / 1000) : Int16Array.from(values);
    tensors.set(name, { shape: [rows, width], data });
  };
  const addBlock = (name: string) => {
    if (isBytes) addCodes(`${name}.attention`, 60 / 16383 / 600);
    add(`${name}.out`, [width, width], attendedRms, 0.7);
    addNorm(`${name}.mlp.norm`);
    add(`${name}.up`, [mlp, width], normedRms, 50);
    add(`${name}.down`, [width, mlp], 50, 0.7);
  };

  add("tokens", [width, latent.channels], 60, 1);
  addConstant("tokens.position", geometry.devices.length * latent.slots, "F32");
  for (let i = 0; i < central.fusionBlocks; i++) {
    addNorm(`fusion${i}.norm`);
    add(`fusion${i}.qkv`, [3 * width, width], normedRms, 600);
    addBlock(`fusion${i}`);
  }
  addNorm("context.norm");
  addConstant("query.value", grid[0] * grid[1], "F32");
  addConstant("cross0.q", grid[0] * grid[1], "I16");
  for (let i = 0; i < central.crossBlocks; i++) {
    if (i > 0) {
      addNorm(`cross${i}.norm`);
      add(`cross${i}.q`, [width, width], normedRms, 600);
    }
    add(`cross${i}.kv`, [2 * width, width], normedRms, 600);
    addBlock(`cross${i}`);
  }
  central.decoder.forEach((layer, i) => {
    const inputRms = i === 0 ? 210 : 50;
    if (layer.kind === "convT2d") add(layer.name, [4, layer.out, 2, 2, layer.in], inputRms, 50);
    else if (layer.output === "u7") add(layer.name, [layer.out, 3, 3, layer.in], inputRms, 50);
    else addVelocityLayer(tensors, random, layer);
  });
  return tensors;
}

/** The last convolution: m/s around 3000, with some cells outside 1500..4500. */
function addVelocityLayer(tensors: Map<string, RawTensor>, random: Random, layer: ImageLayer) {
  addLayer(tensors, random, layer.name, [1, 3, 3, layer.in], 50, 1200);
  const scale = tensors.get(`${layer.name}.scale`)!.data[0]!;
  const bias = Int32Array.of(Math.round(3000 / scale));
  tensors.set(`${layer.name}.bias`, { shape: [1], data: bias });
}

function addLayer(
  tensors: Map<string, RawTensor>,
  random: Random,
  name: string,
  shape: readonly number[],
  inputRms: number,
  outputRms: number,
  weightMax = 127,
) {
  const count = shape.reduce((product, size) => product * size, 1);
  const out = shape.length === 5 ? shape[1]! : shape[0]!;
  const k = shape.slice(shape.length === 5 ? 2 : 1).reduce((product, size) => product * size, 1);
  const accumulatorRms = Math.sqrt(k) * 0.577 * weightMax * inputRms;
  const weight = Int8Array.from({ length: count }, () => random(-weightMax, weightMax));
  const bound = Math.ceil(accumulatorRms / 2);
  const bias = Int32Array.from({ length: out }, () => random(-bound, bound));
  const scale = Float32Array.from(
    { length: out },
    () => ((random(700, 1300) / 1000) * outputRms) / accumulatorRms,
  );
  tensors.set(`${name}.weight`, { shape, data: weight });
  tensors.set(`${name}.bias`, { shape: [out], data: bias });
  tensors.set(`${name}.scale`, { shape: [out], data: scale });
}
