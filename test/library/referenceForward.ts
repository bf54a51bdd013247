import type { ModelConfig } from "../../src/model/config.ts";
import type { RawTensor } from "./writeSafetensors.ts";

/**
 * The whole network in plain TypeScript, from docs/numbers.md: nothing packed, nothing padded, every
 * f32 operation rounded by Math.fround. It shares no code with the engine, which must give its bits.
 */

type Tensors = ReadonlyMap<string, RawTensor>;
/** Rows of codes or of f32 values. */
type Matrix = number[][];
/** [height][width][channels] */
type Image = number[][][];
type Element = "s16" | "u7" | "s8" | "f32";

const f = Math.fround;
const RANGES: Readonly<Record<Exclude<Element, "f32">, readonly [number, number]>> = {
  s16: [-2047, 2047],
  u7: [0, 127],
  s8: [-127, 127],
};
const MAGIC = 12582912;

/** One device's latent, int8 [slots][channels], from its traces [shots][samples][receivers]. */
export function referenceEncode(
  config: ModelConfig,
  tensors: Tensors,
  traces: Float32Array,
): Int8Array {
  let rows = inputStage(config, traces);
  for (const layer of config.edge.layers) {
    const silence = Array.from({ length: layer.padding }, () => new Array(layer.in).fill(0));
    const padded = [...silence, ...rows, ...silence];
    const patches: Matrix = [];
    for (let t = 0; t + layer.kernel <= padded.length; t += layer.stride) {
      patches.push(padded.slice(t, t + layer.kernel).flat());
    }
    rows = linear(tensors, layer.name, patches, layer.output);
  }
  return Int8Array.from(rows.flat());
}

/** The velocity map in m/s, from latents int8 [devices][slots][channels]. */
export function referenceDecode(
  config: ModelConfig,
  tensors: Tensors,
  latents: Int8Array,
  present: readonly boolean[],
): Float32Array {
  const { central } = config;
  let x = tokens(config, tensors, latents, present);
  for (let i = 0; i < central.fusionBlocks; i++) {
    const name = `fusion${i}`;
    const normed = norm(config, tensors, `${name}.norm`, x);
    const qkv = linear(tensors, `${name}.qkv`, normed, "s16");
    const [q, k, v] = split(qkv, 3) as [Matrix, Matrix, Matrix];
    const attended = attention(config, tensors, name, q, k, v);
    x = closeBlock(config, tensors, name, x, attended);
  }
  const context = norm(config, tensors, "context.norm", x);
  let y = toRows(tensors.get("query.value")!);
  for (let i = 0; i < central.crossBlocks; i++) {
    const name = `cross${i}`;
    const q =
      i === 0
        ? toRows(tensors.get("cross0.q")!)
        : linear(tensors, `${name}.q`, norm(config, tensors, `${name}.norm`, y), "s16");
    const [k, v] = split(linear(tensors, `${name}.kv`, context, "s16"), 2) as [Matrix, Matrix];
    const attended = attention(config, tensors, name, q, k, v);
    y = closeBlock(config, tensors, name, y, attended);
  }
  const signed = uniformCodes(central.width, central.qscale);
  return decodeImage(config, tensors, normWith(config, signed, y));
}

function inputStage({ geometry, input }: ModelConfig, traces: Float32Array): Matrix {
  const { shots, samples } = geometry;
  const { receivers } = geometry.devices[0]!;
  const half = (input.taps.length - 1) / 2;
  const rows: Matrix = [];
  for (let t = 0; t * input.decimation < samples; t++) {
    const row: number[] = [];
    for (let shot = 0; shot < shots; shot++) {
      for (let receiver = 0; receiver < receivers; receiver++) {
        let y = 0;
        input.taps.forEach((tap, k) => {
          const sample = t * input.decimation + k - half;
          if (sample < 0 || sample >= samples) return;
          const value = traces[(shot * samples + sample) * receivers + receiver]!;
          y = f(y + f(f(tap) * value));
        });
        row.push(compand(y, input));
      }
    }
    rows.push(row);
  }
  return rows;
}

const LOG2 = [
  1.442544937133789, -0.7181452512741089, 0.45754918456077576, -0.27790534496307373,
  0.12179791182279587, -0.025841450318694115,
].map(f);

function compand(y: number, { gain, compand: factor, step }: ModelConfig["input"]): number {
  const a = f(f(Math.abs(f(y * f(gain))) * f(factor)) + 1);
  const exponent = Math.floor(Math.log2(a));
  // Both are powers of two apart from a, so this division is exact.
  const u = f(a / 2 ** exponent - 1);
  let sum = LOG2[5]!;
  for (let i = 4; i >= 0; i--) sum = f(f(sum * u) + LOG2[i]!);
  const level = f(f(sum * u) + f(exponent));
  const code = rint(f(level * f(step)), 0, 16383);
  return y < 0 ? -code : code;
}

/** out[row] = A[row] against every channel, requantised. */
function linear(
  tensors: Tensors,
  name: string,
  rows: Matrix,
  output: Element,
  phase?: number,
): Matrix {
  const [weight, bias, scale] = ["weight", "bias", "scale"].map(
    (part) => tensors.get(`${name}.${part}`)!.data,
  ) as [Int8Array, Int32Array, Float32Array];
  const k = rows[0]!.length;
  const first = (phase ?? 0) * bias.length * k;
  return rows.map((row) =>
    Array.from(bias, (start, channel) => {
      let sum = start;
      for (let i = 0; i < k; i++) sum += row[i]! * weight[first + channel * k + i]!;
      const value = f(f(sum) * scale[channel]!);
      return output === "f32" ? value : rint(value, ...RANGES[output]);
    }),
  );
}

function tokens(
  { geometry, latent }: ModelConfig,
  tensors: Tensors,
  latents: Int8Array,
  present: readonly boolean[],
): Matrix {
  const position = toRows(tensors.get("tokens.position")!);
  const rows: Matrix = [];
  const positions: Matrix = [];
  for (let device = 0; device < geometry.devices.length; device++) {
    if (!present[device]) continue;
    for (let slot = 0; slot < latent.slots; slot++) {
      const row = device * latent.slots + slot;
      rows.push([...latents.subarray(row * latent.channels, (row + 1) * latent.channels)]);
      positions.push(position[row]!);
    }
  }
  return add(linear(tensors, "tokens", rows, "f32"), positions);
}

function closeBlock(
  config: ModelConfig,
  tensors: Tensors,
  name: string,
  x: Matrix,
  attended: Matrix,
): Matrix {
  const sum = add(x, linear(tensors, `${name}.out`, attended, "f32"));
  const normed = norm(config, tensors, `${name}.mlp.norm`, sum);
  const hidden = linear(tensors, `${name}.up`, normed, "u7");
  return add(sum, linear(tensors, `${name}.down`, hidden, "f32"));
}

/** How f32 values become codes: a factor and a zero for each channel, and bounds. */
interface Codes {
  readonly scale: ArrayLike<number>;
  readonly zero: ArrayLike<number>;
  readonly range: readonly [number, number];
}

function uniformCodes(width: number, scale: number): Codes {
  const zero = new Int32Array(width);
  return { scale: new Float32Array(width).fill(scale), zero, range: RANGES.s16 };
}

/** Of a norm or an attention in the file's own form. */
function codesOf({ central }: ModelConfig, tensors: Tensors, name: string, scale: number): Codes {
  if (central.activations !== "u7") return uniformCodes(central.width, scale);
  const [factors, zero] = ["scale", "zero"].map((part) => tensors.get(`${name}.${part}`)!.data);
  return { scale: factors!, zero: zero!, range: RANGES.u7 };
}

function code({ scale, zero, range }: Codes, channel: number, value: number): number {
  const rounded = rint(f(value * scale[channel]!), -(2 ** 22), 2 ** 22);
  return Math.min(Math.max(rounded + zero[channel]!, range[0]), range[1]);
}

function norm(config: ModelConfig, tensors: Tensors, name: string, rows: Matrix): Matrix {
  return normWith(config, codesOf(config, tensors, name, config.central.qscale), rows);
}

function normWith({ central }: ModelConfig, codes: Codes, rows: Matrix): Matrix {
  return rows.map((row) => {
    const inverse = f(1 / row.length);
    const mean = f(sumByLanes(row) * inverse);
    const centred = row.map((value) => f(value - mean));
    const variance = f(sumByLanes(centred.map((t) => f(t * t))) * inverse);
    const r = f(1 / f(Math.sqrt(f(variance + f(central.eps)))));
    return centred.map((t, channel) => code(codes, channel, f(t * r)));
  });
}

function attention(
  config: ModelConfig,
  tensors: Tensors,
  block: string,
  q: Matrix,
  k: Matrix,
  v: Matrix,
): Matrix {
  const { heads } = config.central;
  const { scoreScale, outScale } = config.central.attention[block]!;
  const codes = codesOf(config, tensors, `${block}.attention`, outScale ?? 0);
  const width = q[0]!.length;
  const out: Matrix = q.map(() => new Array(width).fill(0));
  for (let head = 0; head < heads; head++) {
    const columns = range((head * width) / heads, ((head + 1) * width) / heads);
    q.forEach((query, row) => {
      const scores = k.map((key) => {
        const sum = columns.reduce((total, c) => total + query[c]! * key[c]!, 0);
        return f(f(sum) * f(scoreScale));
      });
      const largest = Math.max(...scores);
      const weights = scores.map((score) => exp(f(score - largest)));
      const r = f(16383 / sumByLanes(weights));
      const probabilities = weights.map((weight) => rint(f(weight * r), 0, 16383));
      for (const c of columns) {
        const sum = probabilities.reduce((total, p, j) => total + p * v[j]![c]!, 0);
        out[row]![c] = code(codes, c, f(sum));
      }
    });
  }
  return out;
}

const EXP = [
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1,
  5.0000001201e-1,
].map(f);

function exp(argument: number): number {
  const x = Math.max(argument, -30);
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: the constant of docs/numbers.md
  const n = f(f(f(x * f(1.44269504)) + MAGIC) - MAGIC);
  const rest = f(f(x - f(n * f(0.693359375))) - f(n * f(-2.1219444e-4)));
  let p = EXP[0]!;
  for (const coefficient of EXP.slice(1)) p = f(f(p * rest) + coefficient);
  return f(f(f(f(p * f(rest * rest)) + rest) + 1) * 2 ** n);
}

function decodeImage({ geometry, central }: ModelConfig, tensors: Tensors, rows: Matrix) {
  let image = toImage(rows, central.grid[1]);
  for (const { name, kind, output } of central.decoder) {
    image =
      kind === "conv2d"
        ? conv2d(tensors, name, image, output)
        : convT2d(tensors, name, image, output);
  }
  const [height, width] = geometry.map;
  const top = Math.floor((image.length - height) / 2);
  const left = Math.floor((image[0]!.length - width) / 2);
  const [lo, hi] = geometry.velocityMps;
  return Float32Array.from({ length: height * width }, (_, i) => {
    const value = image[top + Math.floor(i / width)]![left + (i % width)]![0]!;
    return Math.min(Math.max(value, lo), hi);
  });
}

function conv2d(tensors: Tensors, name: string, image: Image, output: Element): Image {
  const patches = image.flatMap((line, y) => line.map((_, x) => patch(image, y - 1, x - 1, 3)));
  return toImage(linear(tensors, name, patches, output), image[0]!.length);
}

function convT2d(tensors: Tensors, name: string, image: Image, output: Element): Image {
  const out: Image = image.flatMap((line) => [0, 1].map(() => line.flatMap(() => [[], []])));
  for (const phase of [0, 1, 2, 3]) {
    const [py, px] = [phase >> 1, phase & 1];
    image.forEach((line, y) => {
      line.forEach((_, x) => {
        const row = patch(image, y + py - 1, x + px - 1, 2);
        out[2 * y + py]![2 * x + px] = linear(tensors, name, [row], output, phase)[0]!;
      });
    });
  }
  return out;
}

/** Channels of size x size pixels from (y, x), row-major; zeros outside the image. */
function patch(image: Image, y: number, x: number, size: number): number[] {
  const zeros = new Array(image[0]![0]!.length).fill(0);
  return range(y, y + size).flatMap((row) =>
    range(x, x + size).flatMap((column) => image[row]?.[column] ?? zeros),
  );
}

/** Half to even, then clamped. */
function rint(x: number, lo: number, hi: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  const up = rest > 0.5 || (rest === 0.5 && below % 2 !== 0);
  return Math.min(Math.max(up ? below + 1 : below, lo), hi);
}

function sumByLanes(values: readonly number[]): number {
  const lanes = [0, 0, 0, 0];
  values.forEach((value, i) => {
    lanes[i % 4] = f(lanes[i % 4]! + value);
  });
  return f(f(lanes[0]! + lanes[1]!) + f(lanes[2]! + lanes[3]!));
}

function add(a: Matrix, b: Matrix): Matrix {
  return a.map((row, i) => row.map((value, j) => f(value + b[i]![j]!)));
}

function split(rows: Matrix, parts: number): Matrix[] {
  const width = rows[0]!.length / parts;
  return range(0, parts).map((part) =>
    rows.map((row) => row.slice(part * width, (part + 1) * width)),
  );
}

function toRows({ shape, data }: RawTensor): Matrix {
  const width = shape[1]!;
  return range(0, shape[0]!).map((row) => [...data.subarray(row * width, (row + 1) * width)]);
}

function toImage(rows: Matrix, width: number): Image {
  return range(0, rows.length / width).map((y) => rows.slice(y * width, (y + 1) * width));
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}
