import { type IgemmName, roundUp, SUM4_MAX } from "../../engine/kernels.ts";
import { seededIntegers } from "../../engine/seeded.ts";
import { fitsPairs, pairsStep } from "../../model/conv1dPairs.ts";
import { allocImage, type PaddedImage, placePixels } from "../../model/image.ts";
import type { LayerWeights } from "../../model/layerWeights.ts";
import { linearStep, type PlacedLayer, placeLayer, type Rows } from "../../model/linear.ts";
import { placeRows } from "../../model/offsets.ts";
import { CODE_MAX, moduleStorage, type Storage, storageOf } from "../../model/storage.ts";
import { velocityStep } from "../../model/velocityPlan.ts";
import { scratchBytes, winogradForm, winogradSteps } from "../../model/winogradPlan.ts";
import type { BenchBuild, BenchCase, Job, PeakKind } from "./case.ts";
import { type Conv1dShape, type ImageShape, type LayerShape, layerShapes } from "./layers.ts";

/** Every layer of epic-base as the job of its kernel, weights and activations seeded. */
export const layerCases: readonly BenchCase[] = layerShapes.map((shape) => ({
  name: shape.name,
  kernel: isVelocity(shape) ? "conv_velocity" : `igemm_${shape.input}`,
  side: shape.name.startsWith("enc") ? "edge" : "central",
  place: (build) =>
    isVelocity(shape) ? placeVelocityJob(build, shape) : placeLayerJob(build, shape),
}));

/** The decoder's last layer: the only one that leaves f32 pixels. */
function isVelocity(shape: LayerShape): shape is ImageShape {
  return "height" in shape && shape.output === "f32";
}

function placeVelocityJob(build: BenchBuild, shape: ImageShape): Job {
  const size = { height: shape.height, width: shape.width };
  const image = allocImage(build, size, shape.in, moduleStorage(shape.input, build.name));
  fillActivations(build, shape, imageBytes(image));
  const table = placePixels(build, image, size, (y, x) => [y - 1, x - 1]);
  const map = build.arena.alloc(table.padded * 4);
  const { address, rowBytes: segStride, storage } = image;
  const input = { address, table, segStride, storage };
  const output = { map, range: [-20, 20] } as const;
  const step = velocityStep(build, seededWeights(shape), input, output);
  return {
    macs: step.macs,
    peak: build.name === "scalar" ? "i32" : step.call.export.endsWith("u7") ? "u7" : "s16",
    run: step.run,
    output: () => build.arena.view(Int32Array, map, table.rows).slice(),
  };
}

/**
 * The decoder's inner layers by tiles, in the modules that take that way. Their multiply-accumulates are those of the plain
 * convolution, of which they do 1/4 or 4/9: shares of peak above 1 are what that saves.
 */
export const winogradCases: readonly BenchCase[] = layerShapes
  .filter((shape): shape is ImageShape => "height" in shape && !isVelocity(shape))
  .map((shape) => ({
    name: `tiled ${shape.name}`,
    kernel: "winograd",
    side: "central",
    place: (build) => placeWinogradJob(build, shape),
  }));

/** The relaxed module's bytes go through igemm: there, and in the scalar module, the case times that. */
function placeWinogradJob(build: BenchBuild, shape: ImageShape): Job {
  const size = { height: shape.height, width: shape.width };
  const form = winogradForm(build, shape, size);
  if (!form) return placeLayerJob(build, shape);
  const scale = shape.kind === "convT2d" ? 2 : 1;
  const image = allocImage(build, size, shape.in, storageOf(shape.input, false));
  const out = { height: scale * size.height, width: scale * size.width };
  const next = allocImage(build, out, shape.out, moduleStorage(shape.output, build.name));
  const scratch = build.arena.alloc(scratchBytes(form, shape, size));
  const weights = seededWeights(shape);
  const steps = winogradSteps(build, { layer: shape, weights, form, image, next }, scratch);
  fillActivations(build, shape, imageBytes(image));
  return {
    macs: steps.reduce((sum, step) => sum + step.macs, 0),
    peak: "s16",
    run: () => {
      for (const step of steps) step.run();
    },
    output: () => readCodes(build, imageBytes(next)),
  };
}

/** The encoder's strided layers, two outputs at a time, in the modules that take that way; rates are those of the plain one. */
export const pairsCases: readonly BenchCase[] = layerShapes
  .filter((shape): shape is Conv1dShape => shape.kind === "conv1d" && shape.kernel > 1)
  .map((shape) => ({
    name: `pairs ${shape.name}`,
    kernel: "conv1d_pairs_s16",
    side: "edge",
    place: (build) => placePairsJob(build, shape),
  }));

function placePairsJob(build: BenchBuild, shape: Conv1dShape): Job {
  const { samples, kernel, stride, padding } = shape;
  const count = Math.floor((samples + 2 * padding - kernel) / stride) + 1;
  const [from, to] = [
    moduleStorage(shape.input, build.name),
    moduleStorage(shape.output, build.name),
  ];
  if (!fitsPairs(build, shape, count, from)) return placeLayerJob(build, shape);
  const inBytes = shape.in * from.bytes;
  const outBytes = shape.out * to.bytes;
  const a = alloc(build, (samples + 2 * padding) * inBytes, from);
  const c = alloc(build, count * outBytes, to);
  fillActivations(build, shape, a);
  const step = pairsStep(build, {
    ...{ layer: shape, weights: seededWeights(shape), count },
    input: { address: a.address, rowBytes: inBytes, halo: padding, storage: from },
    output: { address: c.address, rowBytes: outBytes, halo: 0, storage: to },
  });
  return {
    macs: step.macs,
    peak: "s16",
    run: step.run,
    output: () => readCodes(build, c),
  };
}

/** Some of module memory, and what stands there. */
interface Region {
  readonly address: number;
  readonly bytes: number;
  readonly storage: Storage;
}

/** How a shape lies in memory: one call per phase. */
interface Layout {
  /** A, to fill with activations. */
  readonly a: Region;
  readonly calls: readonly { readonly from: Rows & { segStride?: number }; readonly to: Rows }[];
  /** C, whole rows. */
  readonly c: Region;
}

function placeLayerJob(build: BenchBuild, shape: LayerShape): Job {
  const segments = { dense: 1, conv1d: 1, conv2d: 3, convT2d: 2 }[shape.kind];
  const placed = placeLayer(
    build,
    seededWeights(shape),
    moduleStorage(shape.input, build.name),
    segments,
  );
  const layout = layOut(build, shape, placed);
  fillActivations(build, shape, layout.a);
  const steps = layout.calls.map(({ from, to }, phase) =>
    linearStep(build, placed, from, { ...to, storage: layout.c.storage }, phase),
  );
  return {
    macs: steps.reduce((sum, step) => sum + step.macs, 0),
    peak: build.name === "scalar" ? "i32" : PEAK_OF[placed.kernel],
    run: () => {
      for (const step of steps) step.run();
    },
    output: () => readCodes(build, layout.c),
  };
}

const PEAK_OF: Readonly<Record<IgemmName, PeakKind>> = {
  igemm_s16: "s16",
  igemm_s16_4x16: "s16",
  igemm_u7: "u7",
  igemm_u7_dot4: "u7",
  igemm_u7_dot4_4x16: "u7",
  igemm_u7_sum4: "sum4",
};

function seededWeights(shape: LayerShape): LayerWeights {
  const random = seededIntegers(shape.in * 1000 + shape.out);
  const phases = shape.kind === "convT2d" ? 4 : 1;
  const taps = { dense: 1, conv1d: 0, conv2d: 9, convT2d: 4 }[shape.kind];
  const k = shape.in * (shape.kind === "conv1d" ? shape.kernel : taps);
  const most = shape.kind === "dense" && shape.small ? SUM4_MAX >> 2 : 127;
  const spread = Math.sqrt(k) * 40 * CODE_MAX[shape.input];
  return {
    name: shape.name,
    phases,
    out: shape.out,
    k,
    weight: Int8Array.from({ length: phases * shape.out * k }, () => random(-most, most)),
    bias: Int32Array.from({ length: shape.out }, () => random(-5000, 5000)),
    scale: new Float32Array(shape.out).fill(100 / spread),
  };
}

function layOut(build: BenchBuild, shape: LayerShape, placed: PlacedLayer): Layout {
  if ("height" in shape) return layOutImage(build, shape, placed);
  const [input, output] = [
    moduleStorage(shape.input, build.name),
    moduleStorage(shape.output, build.name),
  ];
  const inBytes = shape.in * input.bytes;
  const outBytes = placed.n * output.bytes;
  const { samples, kernel, stride, padding } =
    shape.kind === "conv1d" ? shape : { samples: shape.rows, kernel: 1, stride: 1, padding: 0 };
  const rows = Math.floor((samples + 2 * padding - kernel) / stride) + 1;
  const a = alloc(build, (samples + 2 * padding) * inBytes, input);
  const c = alloc(build, rows * outBytes, output);
  const from = placeRows(build.arena, rows, (row) => row * stride * inBytes);
  const to = placeRows(build.arena, rows, (row) => row * outBytes);
  const call = {
    from: { address: a.address, table: from },
    to: { address: c.address, table: to },
  };
  return { a, c, calls: [call] };
}

function layOutImage(build: BenchBuild, shape: ImageShape, placed: PlacedLayer): Layout {
  const scale = shape.kind === "convT2d" ? 2 : 1;
  const size = { height: shape.height, width: shape.width };
  const out = { height: scale * shape.height, width: scale * shape.width };
  const image = allocImage(build, size, shape.in, moduleStorage(shape.input, build.name));
  const next = allocImage(build, out, placed.n, moduleStorage(shape.output, build.name));
  const phases = scale === 2 ? [0, 1, 2, 3] : [0];
  const calls = phases.map((phase) => {
    const [py, px] = [phase >> 1, phase & 1];
    const from = placePixels(build, image, size, (y, x) => [y + py - 1, x + px - 1]);
    const to = placePixels(build, next, size, (y, x) => [scale * y + py, scale * x + px]);
    return {
      from: { address: image.address, table: from, segStride: image.rowBytes },
      to: { address: next.address, table: to },
    };
  });
  return { a: imageBytes(image), c: imageBytes(next), calls };
}

function imageBytes({ address, height, rowBytes, storage }: PaddedImage): Region {
  return { address, bytes: (height + 2) * rowBytes, storage };
}

function alloc({ arena }: BenchBuild, bytes: number, storage: Storage): Region {
  return { address: arena.alloc(bytes), bytes, storage };
}

/** The same codes in every module, also in the halo: kernels do not know where it ends. */
function fillActivations(build: BenchBuild, shape: LayerShape, a: Region): void {
  const random = seededIntegers(7);
  const max = CODE_MAX[shape.input];
  const { bytes } = a.storage;
  const type = bytes === 1 ? Uint8Array : Int16Array;
  const view = build.arena.view<Uint8Array | Int16Array>(type, a.address, a.bytes / bytes);
  for (let i = 0; i < view.length; i++) view[i] = random(shape.input === "u7" ? 0 : -max, max);
}

/** Codes as numbers, f32 as bit patterns. */
function readCodes(build: BenchBuild, c: Region): ArrayLike<number> {
  const { bytes } = c.storage;
  const type = bytes === 1 ? Uint8Array : bytes === 2 ? Int16Array : Int32Array;
  const length = roundUp(c.bytes, bytes) / bytes;
  return build.arena.view<Uint8Array | Int16Array | Int32Array>(type, c.address, length).slice();
}
