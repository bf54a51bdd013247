import { setFlagsFromString } from "node:v8";
import { decodeHex } from "../../src/engine/instantiate.ts";
import { wasmHex } from "../../src/engine/wasm/edge.relaxed.ts";

/**
 * Turns relaxed SIMD on in Node 20, which has it behind a flag; newer ones have it on.
 * @returns whether the relaxed modules validate now
 */
export function enableRelaxedSimd(): boolean {
  const bytes = decodeHex(wasmHex);
  if (!WebAssembly.validate(bytes) && process.versions.node.startsWith("20.")) {
    setFlagsFromString("--experimental-wasm-relaxed-simd");
  }
  return WebAssembly.validate(bytes);
}
