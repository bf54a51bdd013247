/** Runs the kernels of the form (x, y, n) and reads y back. */
import { Arena, type NumericArray, type Platform } from "./platform.ts";

/** Bytes of y after the call, and the guard bytes that changed. */
export function runConversion(
  platform: Platform,
  kernel: "pack_s8" | "unpack_s8",
  x: NumericArray,
  outBytes: number,
) {
  const exports = kernel === "pack_s8" ? platform.edge : platform.central;
  const arena = new Arena(exports);
  const input = arena.put(x);
  const y = arena.alloc(outBytes);
  if (kernel === "pack_s8") platform.edge.pack_s8(input, y, x.length);
  else platform.central.unpack_s8(input, y, x.length);
  return { bytes: arena.bytes(y, outBytes), brokenGuards: arena.brokenGuards() };
}
