import { type CentralExports, roundUp, TILE_ROWS } from "../engine/kernels.ts";
import type { Build } from "./build.ts";
import type { ImageLayer } from "./config.ts";
import { allocImage, type PaddedImage, pixelOffset, placePixels } from "./image.ts";
import { type LayerWeights, readLayer } from "./layerWeights.ts";
import { linearStep, type PlacedLayer, placeLayer } from "./linear.ts";
import type { ModelFile } from "./modelFile.ts";
import { countOf, type ImageSize, imageSizes } from "./shapes.ts";
import type { Step } from "./step.ts";
import { CODE_MAX } from "./storage.ts";
import { velocityStep } from "./velocityPlan.ts";
import { holdsBias, scratchBytes, winogradForm, winogradSteps } from "./winogradPlan.ts";

/** The convolutional decoder, from the query grid to the velocity map. */
export interface DecoderPlan {
  /** s16 [grid][width]: the caller writes the pixels, never the border. */
  readonly input: PaddedImage;
  /** f32 [map], m/s: here the last step leaves the map. */
  readonly map: number;
  readonly steps: readonly Step[];
}

/** @throws WeightsError when the file's tensors are not those its config describes */
export function planDecoder(build: Build<CentralExports>, file: ModelFile): DecoderPlan {
  const { central, geometry } = file.config;
  const sizes = imageSizes(central.grid, central.decoder);
  const grid: ImageSize = { height: central.grid[0], width: central.grid[1] };
  const input = allocImage(build, grid, central.width, "s16");
  const steps: Step[] = [];
  let image = input;
  const inner = central.decoder.slice(0, -1);
  const scratch = allocScratch(build, inner, grid, sizes);
  inner.forEach((layer, i) => {
    const next = allocImage(build, sizes[i]!, layer.out, layer.output);
    const weights = readImageLayer(file, layer);
    const form = winogradForm(build, layer, image);
    if (form && holdsBias(form, layer, weights.bias)) {
      steps.push(...winogradSteps(build, { layer, weights, form, image, next }, scratch));
    } else {
      const connect = layer.kind === "convT2d" ? convT2dSteps : conv2dSteps;
      steps.push(...connect(build, layer, placeImageLayer(build, layer, weights), image, next));
    }
    image = next;
  });

  const map = build.arena.alloc(roundUp(countOf(geometry.map), TILE_ROWS) * 4);
  steps.push(lastConvStep(build, file, image, map));
  return { input, map, steps };
}

/** Scratch memory for all layers that need any; 0 where none does. */
function allocScratch(
  build: Build,
  layers: readonly ImageLayer[],
  grid: ImageSize,
  sizes: readonly ImageSize[],
): number {
  const bytes = layers.map((layer, i) => {
    const from = sizes[i - 1] ?? grid;
    const form = winogradForm(build, layer, from);
    return form ? scratchBytes(form, layer, from) : 0;
  });
  return bytes.some((count) => count > 0) ? build.arena.alloc(Math.max(...bytes)) : 0;
}

function readImageLayer(file: ModelFile, { name, kind, out, in: from, input }: ImageLayer) {
  const inputMax = CODE_MAX[input];
  if (kind === "convT2d") return readLayer(file, name, [4, out, 2, 2, from], inputMax, 4);
  return readLayer(file, name, [out, 3, 3, from], inputMax);
}

function placeImageLayer(build: Build, layer: ImageLayer, weights: LayerWeights): PlacedLayer {
  return placeLayer(build, weights, layer.input, layer.kind === "convT2d" ? 2 : 3);
}

/** Output pixel (y, x) reads three rows of the input, from pixel (y - 1, x - 1). */
function conv2dSteps(
  build: Build,
  layer: ImageLayer,
  placed: PlacedLayer,
  image: PaddedImage,
  next: PaddedImage,
): Step[] {
  const from = placePixels(build, image, next, (y, x) => [y - 1, x - 1]);
  const to = placePixels(build, next, next, (y, x) => [y, x]);
  const input = { address: image.address, table: from, segStride: image.rowBytes };
  const output = { address: next.address, table: to, element: layer.output };
  return [linearStep(build, placed, input, output)];
}

/**
 * A transposed convolution of kernel 4, stride 2, padding 1 is four 2x2 convolutions: phase (py, px)
 * writes output pixels (2y + py, 2x + px) from two rows of the input, from pixel (y + py - 1, x + px - 1).
 */
function convT2dSteps(
  build: Build,
  layer: ImageLayer,
  placed: PlacedLayer,
  image: PaddedImage,
  next: PaddedImage,
): Step[] {
  return [0, 1, 2, 3].map((phase) => {
    const [py, px] = [phase >> 1, phase & 1];
    const from = placePixels(build, image, image, (y, x) => [y + py - 1, x + px - 1]);
    const to = placePixels(build, next, image, (y, x) => [2 * y + py, 2 * x + px]);
    const input = { address: image.address, table: from, segStride: image.rowBytes };
    const output = { address: next.address, table: to, element: layer.output };
    return linearStep(build, placed, input, output, phase);
  });
}

/** The last convolution computes the map's central crop of its image, and nothing outside it. */
function lastConvStep(
  build: Build<CentralExports>,
  file: ModelFile,
  image: PaddedImage,
  map: number,
): Step {
  const { central, geometry } = file.config;
  const layer = central.decoder.at(-1)!;
  const [height, width] = geometry.map;
  const top = (image.height - height) >> 1;
  const left = (image.width - width) >> 1;
  const from = placePixels(build, image, { height, width }, (y, x) => [y + top - 1, x + left - 1]);
  const input = { address: image.address, table: from, segStride: image.rowBytes };
  return velocityStep(build, readImageLayer(file, layer), layer.input, input, {
    range: geometry.velocityMps,
    map,
  });
}

/** Byte offsets of the decoder's input pixels, one per query, for the norm that writes them. */
export function inputPixelOffsets(image: PaddedImage): Uint32Array {
  const { height, width } = image;
  return Uint32Array.from({ length: height * width }, (_, i) =>
    pixelOffset(image, Math.floor(i / width), i % width),
  );
}
