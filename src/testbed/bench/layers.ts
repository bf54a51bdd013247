/**
 * The layers of epic-base as data: what benchmarks time. Sizes only; the values are seeded. `rows`
 * of a dense layer are 16 tokens of each of five devices, or 81 queries of the decoder's 9x9 grid.
 */
import type { Element, ImageLayer } from "../../model/config.ts";

interface LayerCommon {
  readonly name: string;
  readonly in: number;
  readonly out: number;
  readonly input: "s16" | "u7";
  readonly output: Element;
}

export interface DenseShape extends LayerCommon {
  readonly kind: "dense";
  readonly rows: number;
  /** Whether its weights' sums are small, as the exporter leaves those behind u7 in the central node. */
  readonly small?: boolean;
}

export interface Conv1dShape extends LayerCommon {
  readonly kind: "conv1d";
  readonly samples: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

/** 3x3 with padding 1, or transposed with kernel 4, stride 2, padding 1. */
export interface ImageShape extends LayerCommon {
  readonly kind: "conv2d" | "convT2d";
  readonly output: ImageLayer["output"];
  readonly height: number;
  readonly width: number;
}

export type LayerShape = DenseShape | Conv1dShape | ImageShape;

const tokens = { kind: "dense", rows: 80 } as const;
const bytes = { input: "u7", small: true } as const;
const [byteTokens, byteQueries] = [
  { ...tokens, ...bytes },
  { kind: "dense", rows: 81, ...bytes },
] as const;

export const layerShapes: readonly LayerShape[] = [
  conv1d("enc0", 125, 70, 64, 9, 4, "s16", "u7"),
  conv1d("enc1", 63, 64, 96, 5, 2, "u7", "u7"),
  conv1d("enc2", 32, 96, 128, 5, 2, "u7", "u7"),
  { name: "enc3 16x128x64", kind: "dense", rows: 16, in: 128, out: 64, input: "u7", output: "s8" },
  { name: "tokens 80x64x128", ...tokens, in: 64, out: 128, input: "s16", output: "f32" },
  { name: "s16 qkv 80x128x384", ...tokens, in: 128, out: 384, input: "s16", output: "s16" },
  { name: "qkv 80x128x384", ...byteTokens, in: 128, out: 384, output: "s16" },
  { name: "up 80x128x256", ...byteTokens, in: 128, out: 256, output: "u7" },
  { name: "down 80x256x128", ...byteTokens, in: 256, out: 128, output: "f32" },
  { name: "cross out 81x128x128", ...byteQueries, in: 128, out: 128, output: "f32" },
  image("dec0", "convT2d", 9, 128, 64, "s16", "u7"),
  image("dec1", "conv2d", 18, 64, 64, "u7", "u7"),
  image("dec3", "convT2d", 18, 64, 32, "u7", "u7"),
  image("dec4", "conv2d", 36, 32, 32, "u7", "u7"),
  image("dec6", "convT2d", 36, 32, 16, "u7", "u7"),
  image("dec7", "conv2d", 70, 16, 1, "u7", "f32"),
];

/** Stride 2, as in every strided layer of the encoder. */
function conv1d(
  name: string,
  samples: number,
  from: number,
  to: number,
  kernel: number,
  padding: number,
  input: "s16" | "u7",
  output: Element,
): Conv1dShape {
  const label = `${name} conv1d T${samples} ${from}>${to} k${kernel} s2`;
  const sizes = { samples, in: from, out: to, kernel, stride: 2, padding };
  return { name: label, kind: "conv1d", ...sizes, input, output };
}

function image(
  name: string,
  kind: "conv2d" | "convT2d",
  size: number,
  from: number,
  to: number,
  input: "s16" | "u7",
  output: ImageLayer["output"],
): ImageShape {
  const label = `${name} ${kind} ${size}x${size} ${from}>${to}`;
  return { name: label, kind, height: size, width: size, in: from, out: to, input, output };
}
