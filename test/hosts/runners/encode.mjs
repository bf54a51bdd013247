/**
 * Node, Deno and Bun: the package's edge half encodes every device of the job with every module.
 * stdout: { module: { latents: [hex] } or { refused: message } }
 */
import { readFile } from "node:fs/promises";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";

const [folder, devices] = argv.slice(2);
const { EdgeEncoder } = await import(pathToFileURL(`${folder}/epic-edge.js`).href);
const weights = new Uint8Array(await readFile(`${folder}/edge.safetensors`));

const results = {};
for (const module of ["scalar", "simd", "relaxed"]) {
  try {
    results[module] = { latents: await encodeAll(module) };
  } catch (error) {
    results[module] = { refused: error.message };
  }
}
console.log(JSON.stringify(results));

async function encodeAll(module) {
  const encoder = await EdgeEncoder.load({ weights, module });
  const latents = [];
  for (let device = 0; device < Number(devices); device++) {
    const bytes = new Uint8Array(await readFile(`${folder}/traces-${device}.f32`));
    const latent = encoder.encode(new Float32Array(bytes.buffer), { device });
    latents.push(Array.from(new Uint8Array(latent.buffer), hex).join(""));
  }
  return latents;
}

function hex(byte) {
  return byte.toString(16).padStart(2, "0");
}
