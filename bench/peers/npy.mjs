/** A float32 .npy file, whole: shape and values. */
import { readFileSync } from "node:fs";

export function readNpy(file) {
  const bytes = readFileSync(file);
  const headerBytes = bytes.readUInt16LE(8);
  const header = bytes.toString("latin1", 10, 10 + headerBytes);
  if (!header.includes("'<f4'") || header.includes("True")) {
    throw new Error(`${file}: expected little-endian float32 in C order, got ${header.trim()}`);
  }
  const shape = /\(([^)]*)\)/
    .exec(header)[1]
    .split(",")
    .filter((size) => size.trim() !== "")
    .map(Number);
  return { shape, data: new Float32Array(new Uint8Array(bytes.subarray(10 + headerBytes)).buffer) };
}
