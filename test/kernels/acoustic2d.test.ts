import { describe, expect, it } from "vitest";
import { type Boundary, PADDING } from "../../src/physics/boundary.ts";
import { AcousticGrid } from "../../src/physics/grid.ts";
import { loadPhysicsModule, type PhysicsModuleName } from "../../src/physics/module.ts";
import { OPENFWI_SURVEY } from "../../src/physics/survey.ts";

const GUARD = 0xa5;
/** Above both modules' static data, so that their memories can be compared whole. */
const START = 4096;

/** xorshift32, in [-1, 1). */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state | 0) / 2 ** 31;
  };
}

/** All of a module's memory after some steps from random wavefields on a random map. */
async function steppedMemory(
  name: PhysicsModuleName,
  boundary: Boundary,
  rows: number,
  columns: number,
  seed: number,
): Promise<{
  bytes: Uint8Array;
  end: number;
  pressureAt: (row: number, column: number) => number;
}> {
  const { exports, memory } = await loadPhysicsModule(name);
  const survey = { ...OPENFWI_SURVEY, rows, columns };
  const grid = new AcousticGrid(survey, boundary, START);
  expect(exports.heap_base()).toBeLessThanOrEqual(START);
  memory.grow(Math.ceil(grid.end / 65536));
  const bytes = new Uint8Array(memory.buffer);
  bytes.fill(GUARD, grid.end);
  const cells = new Float32Array(memory.buffer);
  grid.writeStruct(memory.buffer);
  const random = noise(seed);
  const map = Float32Array.from({ length: rows * columns }, () => 3000 + 1500 * random());
  grid.setMap(map, 1500, 4500, cells);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      // Everything from far below the flush threshold to loud.
      cells[grid.cellIndex(row, column)] = random() * 10 ** (17 * random() - 15);
    }
  }
  for (let step = 0; step < 40; step++) exports.acoustic2d_step(grid.pointer);
  const pressureAt = (row: number, column: number) => grid.cellIndex(row, column);
  return { bytes: bytes.slice(START), end: grid.end - START, pressureAt };
}

describe("acoustic2d", () => {
  const sizes = [
    [1, 1],
    [4, 3],
    [7, 16],
    [5, 17],
    [12, 22],
  ] as const;

  it.each(["openfwi", "fast"] as const)("%s: simd equals scalar bit for bit", async (boundary) => {
    for (const [rows, columns] of sizes) {
      const seed = 7919 * rows + columns;
      const scalar = await steppedMemory("scalar", boundary, rows, columns, seed);
      const simd = await steppedMemory("simd", boundary, rows, columns, seed);
      const equal = Buffer.compare(simd.bytes, scalar.bytes) === 0;
      expect(equal, `${rows} x ${columns}, seed ${seed}`).toBe(true);
    }
  });

  it.each(["scalar", "simd"] as const)("%s writes nothing beyond the grid", async (name) => {
    for (const boundary of ["openfwi", "fast"] as const) {
      const { bytes, end } = await steppedMemory(name, boundary, 5, 18, 31);
      expect(bytes.subarray(end).every((byte) => byte === GUARD)).toBe(true);
    }
  });

  it("leaves no subnormal pressure ahead of the front", async () => {
    const { bytes, pressureAt } = await steppedMemory("simd", "openfwi", 12, 22, 3);
    const values = new Float32Array(bytes.buffer);
    let zeros = 0;
    for (let row = -PADDING.openfwi; row < 12 + PADDING.openfwi; row++) {
      for (let column = -PADDING.openfwi; column < 22 + PADDING.openfwi; column++) {
        const pressure = Math.abs(values[pressureAt(row, column) - START / 4]!);
        if (pressure === 0) zeros++;
        else expect(pressure).toBeGreaterThan(2 ** -90);
      }
    }
    expect(zeros).toBeGreaterThan(1000);
  });

  it.each(["scalar", "simd"] as const)("%s imports nothing", async (name) => {
    const { wasmHex } = await import(`../../src/engine/wasm/physics.${name}.ts`);
    const module = new WebAssembly.Module(Buffer.from(wasmHex, "hex"));
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    const memories = WebAssembly.Module.exports(module).filter(({ kind }) => kind === "memory");
    expect(memories.length).toBe(1);
  });
});
