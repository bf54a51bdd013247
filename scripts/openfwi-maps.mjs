/** Reads real OpenFWI velocity maps (types and purpose in the .d.mts beside). */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inflateRawSync } from "node:zlib";

const CELLS = 70 * 70;

export function realMapsFolder() {
  const beside = fileURLToPath(new URL("../../shared/openfwi-maps", import.meta.url));
  return [process.env.EPIC_OPENFWI_MAPS, beside].find((folder) => folder && existsSync(folder));
}

export function readRealMaps(folder, set) {
  const archive = readFileSync(join(folder, `${set}_train_vmodel.zip`));
  return unzip(archive).flatMap((npy) => mapsOfNpy(npy));
}

export function readExample(folder, name) {
  return mapsOfNpy(readFileSync(join(folder, "examples", `${name}_0.npy`)))[0];
}

/** Contents of a zip's members (stored or deflated) in the order of its central directory. */
function unzip(archive) {
  const end = archive.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  const members = [];
  let entry = archive.readUInt32LE(end + 16);
  for (let i = archive.readUInt16LE(end + 10); i > 0; i--) {
    const size = archive.readUInt32LE(entry + 20);
    const local = archive.readUInt32LE(entry + 42);
    const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const packed = archive.subarray(start, start + size);
    members.push(archive.readUInt16LE(entry + 10) === 0 ? packed : inflateRawSync(packed));
    const [name, extra, comment] = [28, 30, 32].map((at) => archive.readUInt16LE(entry + at));
    entry += 46 + name + extra + comment;
  }
  return members;
}

/** Float32 maps of an .npy file, version 1. */
function mapsOfNpy(npy) {
  const header = npy.toString("latin1", 10, 10 + npy.readUInt16LE(8));
  if (!header.includes("'<f4'")) throw new TypeError(`npy: expected '<f4', got ${header}`);
  const bytes = Uint8Array.from(npy.subarray(10 + npy.readUInt16LE(8)));
  const values = new Float32Array(bytes.buffer);
  const count = values.length / CELLS;
  return Array.from({ length: count }, (_, i) => values.subarray(i * CELLS, (i + 1) * CELLS));
}
