import type { Arena } from "../engine/arena.ts";
import { type CentralExports, PANEL } from "../engine/kernels.ts";
import {
  WINOGRAD_2X2,
  WINOGRAD_3X3,
  type WinogradForm,
  winogradScratchBytes,
  winogradWeightBytes,
} from "../engine/winograd.ts";
import type { Build } from "./build.ts";
import type { ImageLayer } from "./config.ts";
import { type PaddedImage, pixelOffset } from "./image.ts";
import type { LayerWeights } from "./layerWeights.ts";
import type { ImageSize } from "./shapes.ts";
import { type KernelStep, kernelStep } from "./step.ts";
import { CODE_MAX } from "./storage.ts";

const WEIGHT_MAX = 127;

/**
 * The form that computes a layer of the decoder with fewer products and the same bits, if it has one: kernels and
 * images large enough for a tile, sums inside the range of the form. Its input is int16. The scalar module takes none:
 * there the transforms cost what they save; nor does an engine whose products of bytes are faster.
 */
export function winogradForm(
  build: Build,
  layer: ImageLayer,
  { height, width }: ImageSize,
): WinogradForm | undefined {
  if (build.name === "scalar") return undefined;
  if (layer.input === "u7" && build.forms[layer.kind] === "igemm") return undefined;
  const form = layer.kind === "convT2d" ? WINOGRAD_2X2 : WINOGRAD_3X3;
  const fits = Math.min(height, width) >= form.tileOut && CODE_MAX[layer.input] <= form.inputMax;
  const rounds = layer.output !== "f32" && layer.out % PANEL === 0;
  return fits && rounds && roomForBias(form, layer) >= 0 ? form : undefined;
}

/** Whether the sums stay inside the form's range with their biases, which the kernel adds before it divides. */
export function holdsBias(form: WinogradForm, layer: ImageLayer, bias: Int32Array): boolean {
  const room = roomForBias(form, layer);
  return bias.every((value) => Math.abs(value) <= room);
}

function roomForBias(form: WinogradForm, layer: ImageLayer): number {
  return form.sumMax - form.taps ** 2 * layer.in * CODE_MAX[layer.input] * WEIGHT_MAX;
}

/** A convolution between two images, or one phase (py, px) of a transposed one. */
interface Convolution {
  readonly layer: ImageLayer;
  readonly weights: LayerWeights;
  readonly form: WinogradForm;
  readonly image: PaddedImage;
  readonly next: PaddedImage;
}

/** As many steps as the layer has phases. `scratch` is shared by all layers: `scratchBytes` of the largest. */
export function winogradSteps(
  build: Build<CentralExports>,
  convolution: Convolution,
  scratch: number,
): KernelStep[] {
  const { arena } = build;
  const { weights } = convolution;
  const bias = arena.place(weights.bias);
  const scale = arena.place(weights.scale);
  return Array.from({ length: weights.phases }, (_, phase) =>
    phaseStep(build, convolution, phase, [bias, scale, scratch]),
  );
}

function phaseStep(
  build: Build<CentralExports>,
  { layer, weights, form, image, next }: Convolution,
  phase: number,
  [bias, scale, scratch]: readonly [number, number, number],
): KernelStep {
  const { arena, exports, forms } = build;
  const { out, k, phases } = weights;
  const size = out * k;
  const weight = weights.weight.subarray(phase * size, (phase + 1) * size);
  const b = arena.alloc(winogradWeightBytes(form, out, layer.in));
  const mark = arena.mark();
  exports.pack_winograd(arena.place(weight), form.taps, out, layer.in, b);
  arena.release(mark);
  const step = phases === 4 ? 2 : 1;
  const [py, px] = [phase >> 1, phase & 1];
  const shift = step === 2 ? [py - 1, px - 1] : [-1, -1];
  const [aOff, tiles] = placeTiles(arena, form, image, image, 1, shift[0]!, shift[1]!);
  const [cOff] = placeTiles(arena, form, image, next, step, py, px);
  const { outKind, lo, hi } = next.storage;
  const [cRow, cPixel] = [step * next.rowBytes, step * next.pixelBytes];
  const kernel = `${form.kernel}${forms.winograd}` as const;
  return kernelStep(
    exports[kernel],
    kernel,
    [
      ...([image.address, aOff, tiles, image.rowBytes, layer.in, b, bias, scale] as const),
      ...([next.address, cOff, cRow, cPixel, out, outKind, lo, hi, scratch] as const),
    ],
    {
      name: phases > 1 ? `${layer.name} phase ${phase}` : layer.name,
      macs: image.height * image.width * size,
    },
  );
}

/**
 * Places where the tiles that cover `size` begin in `image`: tile (y, x) at pixel (step y + top, step x + left).
 * @returns the table's address and the number of tiles
 */
function placeTiles(
  arena: Arena,
  { tileOut }: WinogradForm,
  { height, width }: ImageSize,
  image: PaddedImage,
  step: number,
  top: number,
  left: number,
): [number, number] {
  const [rows, columns] = [Math.ceil(height / tileOut), Math.ceil(width / tileOut)];
  const offsets = new Uint32Array(rows * columns);
  for (let row = 0, i = 0; row < rows; row++) {
    const y = step * tileStart(row, tileOut, height) + top;
    for (let column = 0; column < columns; column++) {
      const x = step * tileStart(column, tileOut, width) + left;
      offsets[i++] = pixelOffset(image, y, x);
    }
  }
  return [arena.place(offsets), offsets.length];
}

/** First row or column of a tile; the last one overlaps the one before. */
function tileStart(index: number, tileOut: number, length: number): number {
  return Math.min(index * tileOut, length - tileOut);
}

/** Bytes of scratch that a layer needs. */
export function scratchBytes(
  form: WinogradForm,
  layer: ImageLayer,
  { height, width }: ImageSize,
): number {
  const tiles = Math.ceil(height / form.tileOut) * Math.ceil(width / form.tileOut);
  return winogradScratchBytes(form, tiles, layer.in, layer.out);
}
