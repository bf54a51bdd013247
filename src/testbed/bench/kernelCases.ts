/** The kernels that are not igemm, at the sizes of epic-base. */
import { attentionScratchBytes } from "../../engine/kernels.ts";
import { seededIntegers } from "../../engine/seeded.ts";
import { placeRows } from "../../model/offsets.ts";
import { moduleStorage } from "../../model/storage.ts";
import type { BenchBuild, BenchCase, Job } from "./case.ts";

const TOKENS = 80;
const WIDTH = 128;
const HEADS = 4;

export const kernelCases: readonly BenchCase[] = [
  {
    name: "input_stage 5x1000x14, 13 taps",
    kernel: "input_stage",
    side: "edge",
    place: placeInputStage,
  },
  {
    name: "find_nonfinite 5x1000x14",
    kernel: "find_nonfinite_f32",
    side: "edge",
    place: placeFindNonFinite,
  },
  { name: "pack_s8 1024", kernel: "pack_s8", side: "edge", place: placePack },
  { name: "unpack_s8 5120", kernel: "unpack_s8", side: "central", place: placeUnpack },
  { name: "layer_norm 80x128", kernel: "layer_norm", side: "central", place: placeLayerNorm },
  {
    name: "attention 80x80x4x32",
    kernel: "attention_s16",
    side: "central",
    place: (build) => placeAttention(build, "s16"),
  },
  {
    name: "attention 80x80x4x32 to u7",
    kernel: "attention_s16",
    side: "central",
    place: (build) => placeAttention(build, "u7"),
  },
  { name: "add 80x128", kernel: "add_f32", side: "central", place: placeAdd },
];

function placeInputStage({ exports, arena }: BenchBuild): Job {
  const [shots, samples, receivers, taps, outRows] = [5, 1000, 14, 13, 125];
  const x = arena.place(seededFloats(shots * samples * receivers, 1));
  const h = arena.place(new Float32Array(taps).fill(1 / taps));
  const stride = shots * receivers * 2;
  const out = arena.alloc(outRows * stride);
  return {
    macs: 0,
    run: () =>
      exports.input_stage(
        x,
        shots,
        samples,
        receivers,
        h,
        taps,
        8,
        1,
        8,
        1638,
        out,
        outRows,
        stride,
      ),
    output: () => arena.view(Int16Array, out, (outRows * stride) / 2).slice(),
  };
}

function placeFindNonFinite({ exports, arena }: BenchBuild): Job {
  const n = 5 * 1000 * 14;
  const x = arena.place(seededFloats(n, 6));
  return {
    macs: 0,
    run: () => {
      exports.find_nonfinite_f32(x, n);
    },
    output: () => Int32Array.of(exports.find_nonfinite_f32(x, n)),
  };
}

function placePack({ exports, arena }: BenchBuild): Job {
  const n = 1024;
  const x = arena.place(seededCodes(n, 127));
  const y = arena.alloc(n);
  return {
    macs: 0,
    run: () => exports.pack_s8(x, y, n),
    output: () => arena.view(Int8Array, y, n).slice(),
  };
}

function placeUnpack({ exports, arena }: BenchBuild): Job {
  const n = TOKENS * 64;
  const x = arena.place(Int8Array.from(seededCodes(n, 127)));
  const y = arena.alloc(2 * n);
  return {
    macs: 0,
    run: () => exports.unpack_s8(x, y, n),
    output: () => arena.view(Int16Array, y, n).slice(),
  };
}

function placeLayerNorm({ exports, arena, name }: BenchBuild): Job {
  const x = arena.place(seededFloats(TOKENS * WIDTH, 2));
  const { outKind, lo, hi, bytes } = moduleStorage("u7", name);
  const { address: yOff } = placeRows(arena, TOKENS, (row) => row * WIDTH * bytes);
  const scale = arena.place(new Float32Array(WIDTH).fill(20));
  const zero = arena.place(new Int32Array(WIDTH).fill(64));
  const y = arena.alloc(TOKENS * WIDTH * bytes);
  const run = () =>
    exports.layer_norm(x, TOKENS, WIDTH, 1e-5, scale, zero, outKind, lo, hi, y, yOff);
  const type = bytes === 1 ? Uint8Array : Int16Array;
  const output = () => arena.view<Uint8Array | Int16Array>(type, y, TOKENS * WIDTH).slice();
  return { macs: 0, run, output };
}

/** Rows of q, k, v side by side, as the qkv projection leaves them; outputs of `element`. */
function placeAttention(build: BenchBuild, element: "s16" | "u7"): Job {
  const { exports, arena, name } = build;
  const headDim = WIDTH / HEADS;
  const stride = 3 * WIDTH * 2;
  const { outKind, lo, hi, bytes } = moduleStorage(element, name);
  const q = arena.place(seededCodes(TOKENS * 3 * WIDTH, 600));
  const scale = arena.place(new Float32Array(WIDTH).fill(element === "s16" ? 2 ** -14 : 2 ** -18));
  const zero = arena.place(new Int32Array(WIDTH).fill(element === "s16" ? 0 : 64));
  const scratch = arena.alloc(attentionScratchBytes(TOKENS, headDim));
  const y = arena.alloc(TOKENS * WIDTH * bytes);
  const type = bytes === 1 ? Uint8Array : Int16Array;
  return {
    macs: 2 * TOKENS * TOKENS * WIDTH,
    peak: name === "scalar" ? "i32" : "s16",
    run: () =>
      exports.attention_s16(
        ...([q, stride, q + WIDTH * 2, stride, q + WIDTH * 4, stride, TOKENS, TOKENS] as const),
        ...([HEADS, headDim, 1e-6, scale, zero, outKind, lo, hi, scratch, y] as const),
        WIDTH * bytes,
      ),
    output: () => arena.view<Uint8Array | Int16Array>(type, y, TOKENS * WIDTH).slice(),
  };
}

function placeAdd({ exports, arena }: BenchBuild): Job {
  const n = TOKENS * WIDTH;
  const x = arena.place(seededFloats(n, 3));
  const y = arena.place(new Float32Array(n));
  return {
    macs: 0,
    run: () => exports.add_f32(x, y, n),
    output: () => arena.view(Int32Array, x, n).slice(),
  };
}

function seededCodes(length: number, max: number): Int16Array<ArrayBuffer> {
  const random = seededIntegers(5);
  return Int16Array.from({ length }, () => random(-max, max));
}

/** Uniform in [-2, 2], multiples of 1/1000. */
function seededFloats(length: number, seed: number): Float32Array<ArrayBuffer> {
  const random = seededIntegers(seed);
  return Float32Array.from({ length }, () => random(-2000, 2000) / 1000);
}
