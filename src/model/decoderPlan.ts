import { type CentralExports, roundUp, TILE_ROWS } from "../engine/kernels.ts";
import type { Build } from "./build.ts";
import type { ImageLayer } from "./config.ts";
import { allocImage, imageLike, type PaddedImage, pixelOffset, placePixels } from "./image.ts";
import { type LayerWeights, readLayer } from "./layerWeights.ts";
import { linearStep, type PlacedLayer, placeLayer } from "./linear.ts";
import type { ModelFile } from "./modelFile.ts";
import { countOf, type ImageSize, imageSizes } from "./shapes.ts";
import type { Step } from "./step.ts";
import { CODE_MAX, moduleStorage, type Storage, storageOf } from "./storage.ts";
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

/**
 * @param scratch `decoderScratchBytes` bytes, which keep nothing from one step to the next
 * @throws WeightsError when the file's tensors are not those its config describes
 */
export function planDecoder(
  build: Build<CentralExports>,
  file: ModelFile,
  scratch: number,
): DecoderPlan {
  const { central, geometry } = file.config;
  const sizes = imageSizes(central.grid, central.decoder);
  const grid: ImageSize = { height: central.grid[0], width: central.grid[1] };
  const inner = central.decoder.slice(0, -1);
  const storages = imageStorages(build, central.decoder, grid, sizes);
  const input = allocImage(build, grid, central.width, storages[0]!);
  const steps: Step[] = [];
  let image = input;
  let before: PaddedImage | undefined;
  inner.forEach((layer, i) => {
    const next = imageLike(before, build, sizes[i]!, layer.out, storages[i + 1]!);
    const weights = readImageLayer(file, layer);
    const form = winogradForm(build, layer, image);
    if (form && holdsBias(form, layer, weights.bias)) {
      steps.push(...winogradSteps(build, { layer, weights, form, image, next }, scratch));
    } else {
      const connect = layer.kind === "convT2d" ? convT2dSteps : conv2dSteps;
      const placed = placeImageLayer(build, layer, weights, image.storage);
      steps.push(...connect(build, placed, image, next));
    }
    before = i > 0 ? image : undefined; // not the input: a decoder that runs again finds it as it was
    image = next;
  });

  const map = build.arena.alloc(roundUp(countOf(geometry.map), TILE_ROWS) * 4);
  steps.push(lastConvStep(build, file, image, map));
  return { input, map, steps };
}

/** How each layer's input stands in memory: tiles are of int16, other products of what the module likes. */
function imageStorages(
  build: Build,
  layers: readonly ImageLayer[],
  grid: ImageSize,
  sizes: readonly ImageSize[],
): Storage[] {
  return layers.map((layer, i) => {
    const isTiled = winogradForm(build, layer, sizes[i - 1] ?? grid) !== undefined;
    return isTiled ? storageOf(layer.input, false) : moduleStorage(layer.input, build.name);
  });
}

/** Bytes of scratch memory that the layer which needs most takes. */
export function decoderScratchBytes(build: Build, { config }: ModelFile): number {
  const { decoder, grid } = config.central;
  const sizes = imageSizes(grid, decoder);
  const bytes = decoder.slice(0, -1).map((layer, i) => {
    const from = sizes[i - 1] ?? { height: grid[0], width: grid[1] };
    const form = winogradForm(build, layer, from);
    return form ? scratchBytes(form, layer, from) : 0;
  });
  return Math.max(0, ...bytes);
}

function readImageLayer(file: ModelFile, { name, kind, out, in: from, input }: ImageLayer) {
  const inputMax = CODE_MAX[input];
  if (kind === "convT2d") return readLayer(file, name, [4, out, 2, 2, from], inputMax, 4);
  return readLayer(file, name, [out, 3, 3, from], inputMax);
}

function placeImageLayer(
  build: Build,
  layer: ImageLayer,
  weights: LayerWeights,
  input: Storage,
): PlacedLayer {
  return placeLayer(build, weights, input, layer.kind === "convT2d" ? 2 : 3);
}

/** Output pixel (y, x) reads three rows of the input, from pixel (y - 1, x - 1). */
function conv2dSteps(
  build: Build,
  placed: PlacedLayer,
  image: PaddedImage,
  next: PaddedImage,
): Step[] {
  const from = placePixels(build, image, next, (y, x) => [y - 1, x - 1]);
  const to = placePixels(build, next, next, (y, x) => [y, x]);
  const input = { address: image.address, table: from, segStride: image.rowBytes };
  const output = { address: next.address, table: to, storage: next.storage };
  return [linearStep(build, placed, input, output)];
}

/**
 * A transposed convolution of kernel 4, stride 2, padding 1 is four 2x2 convolutions: phase (py, px)
 * writes output pixels (2y + py, 2x + px) from two rows of the input, from pixel (y + py - 1, x + px - 1).
 */
function convT2dSteps(
  build: Build,
  placed: PlacedLayer,
  image: PaddedImage,
  next: PaddedImage,
): Step[] {
  return [0, 1, 2, 3].map((phase) => {
    const [py, px] = [phase >> 1, phase & 1];
    const from = placePixels(build, image, image, (y, x) => [y + py - 1, x + px - 1]);
    const to = placePixels(build, next, image, (y, x) => [2 * y + py, 2 * x + px]);
    const input = { address: image.address, table: from, segStride: image.rowBytes };
    const output = { address: next.address, table: to, storage: next.storage };
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
  const { address, rowBytes: segStride, storage } = image;
  const input = { address, table: from, segStride, storage };
  return velocityStep(build, readImageLayer(file, layer), input, {
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
