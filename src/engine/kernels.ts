/**
 * The typed interface to the exports of edge.wasm and central.wasm, and the weight layouts they
 * want. Names, argument order and units are those of docs/abi.md: every address is a byte address
 * inside the module's memory, every stride and offset is in bytes. Nothing here checks arguments;
 * callers check once when they build a plan.
 */

/** Instruction sets a module is built for. All give the same bits. */
export type ModuleName = "scalar" | "simd" | "relaxed";

/** 127 · 258 < 2^15: four weights of one sign and their activations, added up in 16 bits. */
export const SUM4_MAX = 258;

/** ABI version this package speaks; `abi_version()` of a module must return it. */
export const ABI_VERSION = 2;

/** Channels of one weight panel: the `n` of every igemm is a multiple of it. */
export const PANEL = 8;

/** Output rows of one tile: the `rows` of every igemm is a multiple of it. */
export const TILE_ROWS = 4;

/** What `conv1d_pairs_s16` needs beside the differences: one tile of sums, and a vector that ends behind them. */
export const PAIRS_SCRATCH_BYTES = 144;

/** Bytes that must be readable after every buffer a kernel reads. */
export const SLACK_BYTES = 64;

/** Addresses handed to kernels are multiples of this unless docs/abi.md says otherwise. */
export const ALIGNMENT = 16;

/** What igemm stores: the `outKind` argument. */
export const OutKind = {
  /** int16, clamped to [lo, hi]. */
  s16: 0,
  /** 0..127 as int16: input of `igemm_s16`. */
  u7AsInt16: 1,
  /** 0..127 as uint8: input of `igemm_u7`. */
  u7AsUint8: 2,
  /** float32, not rounded; lo and hi are unused. */
  f32: 3,
} as const;
export type OutKind = (typeof OutKind)[keyof typeof OutKind];

/** Indirect matrix product; see docs/abi.md, `igemm_*`. */
export type Igemm = (
  a: number,
  aOff: number,
  rows: number,
  segments: number,
  segStride: number,
  segBytes: number,
  b: number,
  bias: number,
  scale: number,
  c: number,
  cOff: number,
  n: number,
  outKind: OutKind,
  lo: number,
  hi: number,
) => void;

/** Packs a layer's weights; see docs/abi.md, `pack_igemm_*`. */
export type PackWeights = (
  w: number,
  n: number,
  segments: number,
  values: number,
  b: number,
) => void;

/** Which export does the products of each element type. All forms of a type give the same bits. */
export interface IgemmForms {
  readonly s16: "igemm_s16" | "igemm_s16_4x16";
  readonly u7: "igemm_u7" | "igemm_u7_dot4" | "igemm_u7_dot4_4x16";
  /** Of weights whose sums are small (`largest_sum4`): `u7`, or a form that counts on it. */
  readonly u7Small: IgemmForms["u7"] | "igemm_u7_sum4";
  /** Of convolutions over int16 rows that a pair of outputs fits; others are `s16`. */
  readonly conv1d: "igemm" | "conv1d_pairs_s16";
  /** Of the decoder's convolutions over u7; those over s16 go by tiles wherever one fits. */
  readonly conv2d: "igemm" | "winograd3x3_s16";
  readonly convT2d: "igemm" | "winograd2x2_s16";
  /** Of the convolutions by tiles. */
  readonly winograd: Tiles;
}

/** What the names of kernels end in that take two panels at a time, for engines with 256-bit vectors. */
export type Tiles = "" | "_4x16";

/** One of those exports. */
export type IgemmName = IgemmForms["s16" | "u7" | "u7Small"];

/** Those that are never far from the best, on any engine. */
export const PLAIN_FORMS: IgemmForms = {
  s16: "igemm_s16",
  u7: "igemm_u7",
  u7Small: "igemm_u7",
  conv1d: "igemm",
  conv2d: "igemm",
  convT2d: "igemm",
  winograd: "",
};

/** Exports of every module. */
export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  abi_version(): number;
  /** First byte the host may use; a multiple of 64. Below it lie the module's constants. */
  heap_base(): number;
  /** int16 activations, weights of `packWeightsS16`. */
  igemm_s16: Igemm;
  /** The same over two panels at a time: for engines with 256-bit vectors. */
  igemm_s16_4x16: Igemm;
  /** uint8 activations 0..127, weights of `packWeightsU7`. Fast in the relaxed module only. */
  igemm_u7: Igemm;
  /** The same in one instruction: for engines that do not emulate it. */
  igemm_u7_dot4: Igemm;
  /** Both. */
  igemm_u7_dot4_4x16: Igemm;
  /** `igemm_u7` for weights whose `largest_sum4` is at most `SUM4_MAX`; a segment is a multiple of 8. Central only. */
  igemm_u7_sum4?: Igemm;
  /** Largest sum of weights of one sign in one 16-bit lane of it, over packed weights of `bytes`, a multiple of 64. */
  largest_sum4?(b: number, bytes: number): number;
  /** Weights int8 [n][segments][values] to those of `igemm_s16`, as `packWeightsS16`; `b` is zero before the call. */
  pack_igemm_s16: PackWeights;
  /** To those of `igemm_u7`, likewise. */
  pack_igemm_u7: PackWeights;
}

/** A convolution by tiles; see docs/abi.md, `winograd*`. */
export type Winograd = (
  a: number,
  aOff: number,
  tiles: number,
  aRow: number,
  channels: number,
  b: number,
  bias: number,
  scale: number,
  c: number,
  cOff: number,
  cRow: number,
  cPixel: number,
  n: number,
  outKind: OutKind,
  lo: number,
  hi: number,
  scratch: number,
) => void;

/** A convolution with one output channel; see docs/abi.md, `conv_velocity_*`. */
export type ConvVelocity = (
  a: number,
  aOff: number,
  rows: number,
  segments: number,
  segStride: number,
  segBytes: number,
  w: number,
  bias: number,
  scale: number,
  lo: number,
  hi: number,
  y: number,
) => void;

/** Exports of edge.{scalar,simd,relaxed}.wasm. */
export interface EdgeExports extends KernelExports {
  input_stage(
    x: number,
    shots: number,
    samples: number,
    receivers: number,
    taps: number,
    tapCount: number,
    decimation: number,
    gain: number,
    compand: number,
    step: number,
    out: number,
    outRows: number,
    outStride: number,
  ): void;
  /** A conv1d of an odd kernel over int16 rows, two outputs at a time; see docs/abi.md. */
  conv1d_pairs_s16(
    a: number,
    aBytes: number,
    aOff: number,
    pairs: number,
    half: number,
    rest: number,
    b: number,
    bias: number,
    scale: number,
    c: number,
    cOff: number,
    n: number,
    outKind: OutKind,
    lo: number,
    hi: number,
    scratch: number,
  ): void;
  /** Weights int8 [n][2 half + rest] for it; half and rest are values here, not bytes. */
  pack_conv1d_pairs(w: number, n: number, half: number, rest: number, b: number): void;
  /** int16 to int8, n values, n a multiple of 8. */
  pack_s8(x: number, y: number, n: number): void;
  /** Index of the first NaN or infinity of n float32, or -1. */
  find_nonfinite_f32(x: number, n: number): number;
}

/** Exports of central.{scalar,simd,relaxed}.wasm. */
export interface CentralExports extends KernelExports {
  /** int8 to int16, n values, n a multiple of 8. */
  unpack_s8(x: number, y: number, n: number): void;
  layer_norm(
    x: number,
    rows: number,
    d: number,
    eps: number,
    scale: number,
    zero: number,
    outKind: OutKind,
    lo: number,
    hi: number,
    y: number,
    yOff: number,
  ): void;
  attention_s16(
    q: number,
    qStride: number,
    k: number,
    kStride: number,
    v: number,
    vStride: number,
    tq: number,
    tk: number,
    heads: number,
    headDim: number,
    scoreScale: number,
    scale: number,
    zero: number,
    outKind: OutKind,
    lo: number,
    hi: number,
    scratch: number,
    y: number,
    yStride: number,
  ): void;
  /** x += y over n float32, n a multiple of 4. */
  add_f32(x: number, y: number, n: number): void;
  /** int16 activations and weights; a segment is a multiple of 32 bytes. */
  conv_velocity_s16: ConvVelocity;
  /** uint8 activations 0..127, int8 weights; a multiple of 16. Fast in the relaxed module only. */
  conv_velocity_u7: ConvVelocity;
  /** 3x3 kernels, 4x4 pixels a tile. */
  winograd3x3_s16: Winograd;
  /** 2x2 kernels, 3x3 pixels a tile. */
  winograd2x2_s16: Winograd;
  /** The same over two panels at a time: for engines with 256-bit vectors. */
  winograd3x3_s16_4x16: Winograd;
  winograd2x2_s16_4x16: Winograd;
  /** Transforms weights int8 [n][taps][taps][channels] for them; taps is 3 or 2. */
  pack_winograd(w: number, taps: number, n: number, channels: number, b: number): void;
}

/**
 * Whether activations after ReLU are uint8 and go through `igemm_u7` in this module. Elsewhere
 * they are int16 and go through `igemm_s16`, which is faster without relaxed SIMD.
 */
export function usesUint8Activations(module: ModuleName): boolean {
  return module === "relaxed";
}

/**
 * Bytes of `attention_s16`'s scratch: keys and values of one head, re-ordered; of a block of four
 * queries the codes, the scores and twice as much for what lies between scores and probabilities,
 * sums and factors.
 *
 * @param tk keys, a multiple of 8
 * @param headDim width of a head, a multiple of 8
 */
export function attentionScratchBytes(tk: number, headDim: number): number {
  return 4 * tk * headDim + 48 * tk + 8 * headDim + 80;
}

/** Smallest multiple of `unit` that is not below `value`. */
export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/**
 * Int16 weights of `igemm_s16`: `[n/8][K/2][8][2]`, where K runs over segments, then values. Both
 * n (to 8) and the length of a segment (to 2) are padded with zeros.
 *
 * @param weight int8 `[n][segments][k / segments]`, the order of the weight files
 * @param n output channels
 * @param k values per output channel, over all segments
 */
export function packWeightsS16(
  weight: Int8Array,
  n: number,
  k: number,
  segments = 1,
): Int16Array<ArrayBuffer> {
  const packed = new Int16Array(packedLength(n, k, segments, 2));
  packPanels(weight, packed, n, k, segments, 2);
  return packed;
}

/**
 * Int8 weights of `igemm_u7`: `[n/8][K/4][8][4]`, otherwise as `packWeightsS16` (a segment is
 * padded to 4 values).
 */
export function packWeightsU7(
  weight: Int8Array,
  n: number,
  k: number,
  segments = 1,
): Int8Array<ArrayBuffer> {
  const packed = new Int8Array(packedLength(n, k, segments, 4));
  packPanels(weight, packed, n, k, segments, 4);
  return packed;
}

/** Bytes of a layer's packed weights: int16 for `igemm_s16`, int8 for `igemm_u7`. */
export function packedWeightBytes(
  input: "s16" | "u7",
  n: number,
  k: number,
  segments: number,
): number {
  return input === "s16" ? 2 * packedLength(n, k, segments, 2) : packedLength(n, k, segments, 4);
}

function packedLength(n: number, k: number, segments: number, group: number): number {
  return roundUp(n, PANEL) * segments * roundUp(k / segments, group);
}

/**
 * Interleaves `group` consecutive values of the eight channels of a panel. A group fills one 32-bit word in both layouts, so
 * it is built in a register and stored once.
 */
function packPanels(
  weight: Int8Array,
  packed: Int16Array<ArrayBuffer> | Int8Array<ArrayBuffer>,
  n: number,
  k: number,
  segments: number,
  group: 2 | 4,
): void {
  if (k % segments !== 0) {
    throw new RangeError(`weights: expected k to be a multiple of ${segments} segments, got ${k}`);
  }
  if (weight.length !== n * k) {
    throw new RangeError(`weights: expected ${n * k} values (${n}x${k}), got ${weight.length}`);
  }
  const words = new Int32Array(packed.buffer);
  const segment = k / segments;
  const groups = roundUp(segment, group) / group;
  const packSegment = group === 2 ? packPairs : packQuads;
  let from = 0;
  for (let channel = 0; channel < n; channel++) {
    const panel = channel - (channel % PANEL);
    for (let s = 0; s < segments; s++, from += segment) {
      const at = (panel * segments + s * PANEL) * groups + (channel % PANEL);
      packSegment(weight, from, from + segment, words, at);
    }
  }
}

/** Pairs of int16, every eighth word from `at`; a last value has a zero beside it. */
function packPairs(weight: Int8Array, from: number, to: number, words: Int32Array, at: number) {
  let word = at;
  let i = from;
  for (; i + 1 < to; i += 2, word += PANEL) {
    words[word] = (weight[i]! & 0xffff) | (weight[i + 1]! << 16);
  }
  if (i < to) words[word] = weight[i]! & 0xffff;
}

/** Fours of int8, likewise. */
function packQuads(weight: Int8Array, from: number, to: number, words: Int32Array, at: number) {
  let word = at;
  let i = from;
  for (; i + 3 < to; i += 4, word += PANEL) {
    words[word] =
      (weight[i]! & 0xff) |
      ((weight[i + 1]! & 0xff) << 8) |
      ((weight[i + 2]! & 0xff) << 16) |
      (weight[i + 3]! << 24);
  }
  let last = 0;
  for (let shift = 0; i < to; i++, shift += 8) last |= (weight[i]! & 0xff) << shift;
  if (last !== 0) words[word] = last;
}
