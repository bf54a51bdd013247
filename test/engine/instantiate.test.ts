import { afterEach, describe, expect, it, vi } from "vitest";
import { decodeHex, instantiateWasm } from "../../src/engine/instantiate.ts";
import { loadModule } from "../../src/engine/loadModule.ts";
import { wasmHex } from "../../src/engine/wasm/physics.scalar.ts";

const MAGIC = [0x00, 0x61, 0x73, 0x6d];
/** No memory, no exports: a valid module all the same. */
const EMPTY = Uint8Array.of(...MAGIC, 1, 0, 0, 0);

afterEach(() => vi.unstubAllGlobals());

describe("decodeHex", () => {
  it("reads the same bytes with and without Buffer", () => {
    const quick = decodeHex(wasmHex);
    expect([...quick.subarray(0, 4)]).toEqual(MAGIC);
    vi.stubGlobal("Buffer", undefined);
    const plain = decodeHex(wasmHex);
    expect(plain.length).toBe(wasmHex.length / 2);
    expect([...plain]).toEqual([...quick]);
  });
});

describe("instantiateWasm", () => {
  it("refuses what is no module, and a module without memory", async () => {
    await expect(instantiateWasm(Uint8Array.of(1, 2, 3))).rejects.toThrow(WebAssembly.CompileError);
    await expect(instantiateWasm(EMPTY)).rejects.toThrow("expected one exported memory, got none");
  });

  it("takes a module that the host compiled", async () => {
    const compiled = new WebAssembly.Module(decodeHex(wasmHex));
    const { exports } = await instantiateWasm<{ heap_base(): number }>(compiled);
    expect(exports.heap_base() % 16).toBe(0);
  });
});

describe("loadModule", () => {
  it("gives the exports that the engine itself gives", async () => {
    const { exports, memory } = await loadModule<Record<string, unknown>>(wasmHex);
    const plain = await instantiateWasm<Record<string, unknown>>(decodeHex(wasmHex));
    expect(Object.keys(exports)).toEqual(Object.keys(plain.exports));
    expect(memory.buffer.byteLength).toBe(plain.memory.buffer.byteLength);
  });
});
