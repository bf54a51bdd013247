import type { Geometry, ImageLayer, ModelConfig } from "./config.ts";

/** Rows that the input stage writes: one per `decimation` samples. */
export function inputRows(config: ModelConfig): number {
  return Math.ceil(config.geometry.samples / config.input.decimation);
}

/** Rows after each edge layer, in order; the last is the number of latent slots. */
export function edgeRows(config: ModelConfig): number[] {
  let rows = inputRows(config);
  return config.edge.layers.map(({ kernel, stride, padding }) => {
    rows = Math.floor((rows + 2 * padding - kernel) / stride) + 1;
    return rows;
  });
}

export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/** The image after each decoder layer, in order. */
export function imageSizes(
  grid: readonly [number, number],
  layers: readonly Pick<ImageLayer, "kind">[],
): ImageSize[] {
  let [height, width] = grid;
  return layers.map(({ kind }) => {
    const factor = kind === "convT2d" ? 2 : 1;
    height *= factor;
    width *= factor;
    return { height, width };
  });
}

/**
 * What the encoder reads: shots, samples, receivers of the largest device. A smaller device's own
 * receivers come first, zeros stand for those it lacks.
 */
export function traceShape({ geometry }: ModelConfig): readonly [number, number, number] {
  return [geometry.shots, geometry.samples, receiversMax(geometry)];
}

/** Receivers of the largest device. */
export function receiversMax({ devices }: Geometry): number {
  return devices.reduce((most, { receivers }) => Math.max(most, receivers), 0);
}

/** One device's latent: slots, channels. */
export function latentShape({ latent }: ModelConfig): readonly number[] {
  return [latent.slots, latent.channels];
}

/** The latents of all devices: devices, slots, channels. */
export function latentsShape(config: ModelConfig): readonly number[] {
  return [config.geometry.devices.length, ...latentShape(config)];
}

/** Values of an array of that shape. */
export function countOf(shape: readonly number[]): number {
  let count = 1;
  for (let i = 0; i < shape.length; i++) count *= shape[i]!;
  return count;
}
