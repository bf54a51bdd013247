import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeHex } from "../../src/engine/instantiate.ts";
import { wasmHex as relaxed } from "../../src/engine/wasm/edge.relaxed.ts";
import { wasmHex as scalar } from "../../src/engine/wasm/edge.scalar.ts";
import { wasmHex as simd } from "../../src/engine/wasm/edge.simd.ts";
import { readWasm, WasmFormatError } from "../../src/io/wasmModule.ts";

const preamble = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** Section `id` with these bytes, all short. */
function section(id: number, ...bytes: number[]): number[] {
  return [id, bytes.length, ...bytes];
}

/** A module of one function () -> () with this body, and whatever else. */
function moduleOf(body: readonly number[], ...before: number[][]): Uint8Array {
  const code = [0, ...body, 0x0b];
  return Uint8Array.from([
    ...preamble,
    ...section(1, 1, 0x60, 0, 0),
    ...before.flat(),
    ...section(3, 1, 0),
    ...section(5, 1, 0, 1),
    ...section(10, 1, code.length, ...code),
  ]);
}

describe("readWasm", () => {
  it("tells the three builds of a module apart", () => {
    const features = (digits: string) => readWasm(decodeHex(digits)).features;
    expect(features(scalar)).not.toContain("simd");
    expect(features(simd)).toContain("simd");
    expect(features(simd)).not.toContain("relaxed-simd");
    expect(features(relaxed)).toContain("relaxed-simd");
    expect(readWasm(decodeHex(scalar)).instructions.simd).toBe(0);
  });

  it("lists imports, and does not count an imported function as its own", () => {
    const bytes = moduleOf([], section(2, 2, 1, 0x61, 1, 0x66, 0, 0, 1, 0x61, 1, 0x67, 3, 0x7f, 0));
    expect(WebAssembly.validate(bytes as BufferSource)).toBe(true);
    const { imports, functions, memories } = readWasm(bytes);
    expect(imports).toEqual(["a.f function", "a.g global"]);
    expect(functions).toBe(1);
    expect(memories).toEqual([{ minPages: 1, maxPages: null }]);
  });

  const bodies: [name: string, body: number[], features: string[], instructions: number][] = [
    ["nothing", [], [], 1],
    ["a negative constant", [0x41, 0x7f, 0x1a], [], 3],
    ["a 64-bit constant of ten bytes", [0x42, ...Array(9).fill(0x80), 0x7f, 0x1a], [], 3],
    ["float constants", [0x43, 0, 0, 0, 0, 0x1a, 0x44, ...Array(8).fill(0), 0x1a], [], 5],
    ["blocks and a branch table", [0x02, 0x40, 0x41, 0, 0x0e, 1, 0, 0, 0x0b], [], 5],
    ["a store", [0x41, 0, 0x41, 0, 0x36, 2, 0], [], 4],
    ["a sign extension", [0x41, 0, 0xc0, 0x1a], ["sign-extension"], 4],
    ["a saturating conversion", [0x43, 0, 0, 0, 0, 0xfc, 0, 0x1a], ["nontrapping-fptoint"], 4],
    ["a memory fill", [0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 11, 0], ["bulk-memory"], 5],
    [
      "a vector constant and a lane",
      [0xfd, 12, ...Array(16).fill(9), 0xfd, 27, 3, 0x1a],
      ["simd"],
      4,
    ],
    [
      "a vector load of a lane",
      [0x41, 0, 0xfd, 12, ...Array(16).fill(0), 0xfd, 84, 0, 0, 5, 0x1a],
      ["simd"],
      5,
    ],
    ["a typed select", [0x41, 1, 0x41, 2, 0x41, 3, 0x1c, 1, 0x7f, 0x1a], [], 6],
  ];
  it.each(bodies)("walks over %s", (_, body, features, instructions) => {
    const bytes = moduleOf(body);
    expect(WebAssembly.validate(bytes as BufferSource)).toBe(true);
    const summary = readWasm(bytes);
    expect(summary.features).toEqual(features);
    expect(summary.instructions.total).toBe(instructions);
  });

  it("counts a relaxed instruction", () => {
    // f32x4.relaxed_madd = 0x105
    const constant = [0xfd, 12, ...Array(16).fill(0)];
    const body = [...constant, ...constant, ...constant, 0xfd, 0x85, 0x02, 0x1a];
    expect(readWasm(moduleOf(body)).features).toEqual(["relaxed-simd", "simd"]);
  });

  it("names what is wrong", () => {
    expect(() => readWasm(Uint8Array.from(preamble.slice(0, 3)))).toThrow("expected 4 more bytes");
    expect(() => readWasm(Uint8Array.from([1, 2, 3, 4]))).toThrow("expected \\0asm");
    expect(() => readWasm(Uint8Array.from([...preamble, 77, 0]))).toThrow(
      "section 0 to 13, got 77",
    );
    expect(() => readWasm(moduleOf([0xff]))).toThrow("expected a known instruction, got 0xff");
  });

  it("answers damaged modules with WasmFormatError and nothing else", () => {
    const whole = decodeHex(simd);
    const damaged = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((tail) => Uint8Array.from([...preamble, ...tail])),
      fc.integer({ min: 0, max: whole.length }).map((length) => whole.slice(0, length)),
      fc
        .tuple(fc.integer({ min: 8, max: whole.length - 1 }), fc.integer({ min: 0, max: 255 }))
        .map(([at, value]) => whole.with(at, value)),
    );
    fc.assert(
      fc.property(damaged, (bytes) => {
        try {
          readWasm(bytes);
          return true;
        } catch (error) {
          return error instanceof WasmFormatError;
        }
      }),
    );
  });
});
