import type { Arena } from "./arena.ts";
import { type IgemmShape, igemmCase } from "./igemmCase.ts";
import {
  attentionScratchBytes,
  type CentralExports,
  type EdgeExports,
  type KernelExports,
  OutKind,
  PAIRS_SCRATCH_BYTES,
  PANEL,
  type Tiles,
} from "./kernels.ts";
import { fillSeeded, selfTestIntegers } from "./seeded.ts";
import {
  WINOGRAD_2X2,
  WINOGRAD_3X3,
  type WinogradForm,
  winogradScratchBytes,
  winogradWeightBytes,
} from "./winograd.ts";

/** Two tiles of rows, two panels of channels, two segments that no vector length divides. */
const SHAPE: IgemmShape = { rows: 8, segments: 2, segment: 20, n: 16 };

/**
 * Hash of what edge.wasm makes of seeded inputs: igemm in all its forms, the input stage and the
 * packing of latents. The value it must give stands in `edgeModules.ts`.
 */
export function edgeSelfTest(exports: EdgeExports, arena: Arena): number {
  let hash = inputStageHash(exports, arena, igemmHash(exports, arena));
  hash = conv1dPairsHash(exports, arena, hash);
  const random = selfTestIntegers(3);
  const codes = arena.place(fillSeeded(new Int16Array(24), () => random(-127, 127)));
  const packed = arena.alloc(24);
  exports.pack_s8(codes, packed, 24);
  return findNonFiniteHash(exports, arena, hashOf(arena, packed, 24, hash)) >>> 0;
}

/** Four pairs over rows of two channels, a kernel of five in steps of one, values at the ends of their range. */
function conv1dPairsHash(exports: EdgeExports, arena: Arena, hash: number): number {
  const [channels, outputs, kernel, half] = [2, 8, 5, 2];
  const random = selfTestIntegers(9);
  const rows = outputs + kernel - 1;
  const codes = fillSeeded(new Int16Array(rows * channels), () => random(-1, 1) * 16383);
  const weight = fillSeeded(new Int8Array(PANEL * kernel * channels), () => random(-127, 127));
  const rowBytes = channels * 2;
  const a = arena.place(codes);
  const b = arena.alloc(PANEL * (3 * half + 2) * channels * 2);
  exports.pack_conv1d_pairs(arena.place(weight), PANEL, half * channels, channels, b);
  const first = [0, 1, 4, 5];
  const aOff = arena.place(Uint32Array.from(first, (t) => t * rowBytes));
  const pixel = PANEL * 2;
  const cOff = arena.place(Uint32Array.from([...first, 2, 3, 6, 7], (t) => t * pixel));
  const bias = arena.place(fillSeeded(new Int32Array(PANEL), () => random(-50000, 50000)));
  const scale = arena.place(new Float32Array(PANEL).fill(1e-4));
  const c = arena.alloc(outputs * pixel);
  const scratch = arena.alloc(rows * rowBytes + PAIRS_SCRATCH_BYTES);
  exports.conv1d_pairs_s16(
    ...([a, rows * rowBytes, aOff, 4, half * rowBytes, rowBytes, b, bias, scale] as const),
    ...([c, cOff, PANEL, OutKind.s16, -2047, 2047, scratch] as const),
  );
  return hashOf(arena, c, outputs * pixel, hash);
}

/** Where the kernel finds an infinity, a NaN behind whole vectors, and nothing. */
function findNonFiniteHash(exports: EdgeExports, arena: Arena, hash: number): number {
  const found = [
    [3, Number.NEGATIVE_INFINITY],
    [34, Number.NaN],
    [34, 3.4e38],
  ].map(([index, value]) => {
    const x = arena.place(new Float32Array(35).fill(value!, index!, index! + 1));
    return exports.find_nonfinite_f32(x, 35);
  });
  return hashOfWords(Int32Array.from(found), hash);
}

/** As `edgeSelfTest`, for central.wasm: igemm, layer norm, attention and the tiled convolutions. */
export function centralSelfTest(exports: CentralExports, arena: Arena, tiles: Tiles): number {
  let hash = layerNormHash(exports, arena, sum4Hash(exports, arena, igemmHash(exports, arena)));
  hash = attentionHash(exports, arena, hash);
  hash = convVelocityHash(exports, arena, hash);
  hash = winogradHash(exports, arena, WINOGRAD_3X3, tiles, hash);
  return winogradHash(exports, arena, WINOGRAD_2X2, tiles, hash) >>> 0;
}

/** Four rows in both types, two segments of 32 values each, clamped at both ends. */
function convVelocityHash(exports: CentralExports, arena: Arena, hash: number): number {
  const [rows, segments, values] = [4, 2, 32];
  const random = selfTestIntegers(8);
  const codes = fillSeeded(new Uint8Array(rows * segments * values), () => random(0, 127));
  const weight = fillSeeded(new Int8Array(segments * values), () => random(-127, 127));
  const y = arena.alloc(rows * 4);
  for (const type of [Int16Array, Uint8Array]) {
    const a = arena.place(type.from(codes));
    const bytes = values * type.BYTES_PER_ELEMENT;
    const aOff = arena.place(Uint32Array.from({ length: rows }, (_, i) => i * segments * bytes));
    const isByte = type === Uint8Array;
    const w = arena.place(isByte ? weight : Int16Array.from(weight));
    const kernel = isByte ? exports.conv_velocity_u7 : exports.conv_velocity_s16;
    kernel(a, aOff, rows, segments, bytes, bytes, w, 1000, 0.01, -100, 250, y);
    hash = hashOf(arena, y, rows * 4, hash);
  }
  return hash;
}

/** One tile of eight channels to a pair of panels and an odd one, all values at the ends of their ranges or zero. */
function winogradHash(
  exports: CentralExports,
  arena: Arena,
  form: WinogradForm,
  tiles: Tiles,
  hash: number,
): number {
  const { taps, tileIn, tileOut, inputMax } = form;
  const [channels, n] = [PANEL, 3 * PANEL];
  const random = selfTestIntegers(7);
  const pixels = tileIn * tileIn * channels;
  const image = fillSeeded(new Int16Array(pixels), () => random(0, 1) * inputMax);
  const weight = fillSeeded(new Int8Array(n * channels * taps * taps), () => 127 * random(-1, 1));
  const a = arena.place(image);
  const b = arena.alloc(winogradWeightBytes(form, n, channels));
  exports.pack_winograd(arena.place(weight), taps, n, channels, b);
  const bias = arena.place(fillSeeded(new Int32Array(n), () => random(-50000, 50000)));
  const scale = arena.place(new Float32Array(n).fill(127 / (inputMax * 1000)));
  const zero = arena.place(new Uint32Array(1));
  const bytes = tileOut * tileOut * n * 2;
  const c = arena.alloc(bytes);
  const scratch = arena.alloc(winogradScratchBytes(form, 1, channels, n));
  const [aRow, cRow, cPixel] = [tileIn * channels * 2, tileOut * n * 2, n * 2];
  exports[`${form.kernel}${tiles}`](
    ...([a, zero, 1, aRow, channels, b, bias, scale] as const),
    ...([c, zero, cRow, cPixel, n, OutKind.s16, -2047, 2047, scratch] as const),
  );
  return hashOf(arena, c, bytes, hash);
}

function igemmHash(exports: KernelExports, arena: Arena): number {
  const signed = igemmCase(exports, arena, "s16", SHAPE, 1);
  const unsigned = igemmCase(exports, arena, "u7", SHAPE, 2);
  let hash = 0;
  for (const product of [signed, unsigned]) {
    for (const kind of Object.values(OutKind)) {
      const isS16 = kind === OutKind.s16;
      product.run(kind, isS16 ? -2047 : 0, isS16 ? 2047 : 127);
      hash = hashOf(arena, product.c, product.cBytes(kind), hash);
    }
  }
  return hash;
}

function sum4Hash(exports: CentralExports, arena: Arena, hash: number): number {
  const shape = { ...SHAPE, segment: 16 };
  const product = igemmCase(exports, arena, "u7", shape, 10, "igemm_u7_sum4");
  product.run(OutKind.f32, 0, 0);
  return hashOf(arena, product.c, product.cBytes(OutKind.f32), hash);
}

function inputStageHash(exports: EdgeExports, arena: Arena, hash: number): number {
  const [shots, samples, receivers, taps, outRows] = [2, 40, 6, 13, 5];
  const random = selfTestIntegers(4);
  const traces = fillSeeded(
    new Float32Array(shots * samples * receivers),
    () => random(-40000, 40000) / 1000,
  );
  const weights = fillSeeded(new Float32Array(taps), () => random(-100, 400) / 2048);
  const x = arena.place(traces);
  const h = arena.place(weights);
  const stride = shots * receivers * 2;
  const out = arena.alloc(outRows * stride);
  exports.input_stage(x, shots, samples, receivers, h, taps, 8, 1, 8, 1638, out, outRows, stride);
  return hashOf(arena, out, outRows * stride, hash);
}

function layerNormHash(exports: CentralExports, arena: Arena, hash: number): number {
  const [rows, d] = [3, 24];
  const random = selfTestIntegers(5);
  const x = arena.place(fillSeeded(new Float32Array(rows * d), () => random(-5000, 9000) / 1024));
  const yOff = arena.place(Uint32Array.from({ length: rows }, (_, row) => row * d * 2));
  const y = arena.alloc(rows * d * 2);
  const scale = arena.place(fillSeeded(new Float32Array(d), () => random(10, 210)));
  const zero = arena.place(fillSeeded(new Int32Array(d), () => random(0, 127)));
  for (const [kind, lo, hi] of [
    [OutKind.s16, -2047, 2047],
    [OutKind.u7AsUint8, 0, 127],
  ] as const) {
    exports.layer_norm(x, rows, d, 1e-5, scale, zero, kind, lo, hi, y, yOff);
    hash = hashOf(arena, y, rows * d * 2, hash);
  }
  return hash;
}

function attentionHash(exports: CentralExports, arena: Arena, hash: number): number {
  const [queries, keys, heads, headDim] = [5, 16, 2, 8];
  const stride = heads * headDim * 2;
  const random = selfTestIntegers(6);
  const place = (rows: number): number =>
    arena.place(fillSeeded(new Int16Array((rows * stride) / 2), () => random(-2047, 2047)));
  const [q, k, v] = [place(queries), place(keys), place(keys)];
  const scratch = arena.alloc(attentionScratchBytes(keys, headDim));
  const y = arena.alloc(queries * stride);
  const channels = heads * headDim;
  const scale = arena.place(fillSeeded(new Float32Array(channels), () => random(1, 16) / 262144));
  const zero = arena.place(fillSeeded(new Int32Array(channels), () => random(0, 127)));
  for (const [kind, lo, hi] of [
    [OutKind.s16, -2047, 2047],
    [OutKind.u7AsUint8, 0, 127],
  ] as const) {
    exports.attention_s16(
      ...([q, stride, k, stride, v, stride, queries, keys, heads, headDim, 1e-6] as const),
      ...([scale, zero, kind, lo, hi, scratch, y, stride] as const),
    );
    hash = hashOf(arena, y, queries * stride, hash);
  }
  return hash;
}

/** Of `bytes` bytes, a multiple of 4. */
function hashOf(arena: Arena, address: number, bytes: number, hash: number): number {
  return hashOfWords(arena.view(Int32Array, address, bytes / 4), hash);
}

/**
 * FNV-1a by words, shifted so that high bits count too: each step maps different hashes to different ones, so that one word which
 * differs always shows. By bytes it would take four times the steps, enough for V8 to load its optimising compiler at every start.
 */
function hashOfWords(words: Int32Array, hash: number): number {
  let mixed = hash;
  for (let i = 0; i < words.length; i++) {
    mixed = Math.imul(mixed ^ words[i]!, 0x01000193);
    mixed ^= mixed >>> 15;
  }
  return mixed;
}
