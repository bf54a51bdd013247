/**
 * SpiderMonkey in gjs, which has neither fetch nor WebCrypto: the plan alone, as docs/abi.md describes it.
 * gjs -m plan.gjs.js JOB DEVICES; stdout as encode.mjs.
 */
import GLib from "gi://GLib";
import System from "system";

const [job, devices] = System.programArgs;
const results = {};
for (const module of ["scalar", "simd"])
  results[module] = { latents: encodeAll(`${job}/${module}`) };
print(JSON.stringify(results));

function encodeAll(folder) {
  const plan = JSON.parse(new TextDecoder().decode(read(`${folder}/edge.plan.json`)));
  const image = read(`${folder}/edge.bin`);
  const module = new WebAssembly.Module(read(`${folder}/edge.wasm`));
  const { exports } = new WebAssembly.Instance(module, {});
  if (exports.abi_version() !== plan.abi) throw new Error(`abi: expected ${plan.abi}`);
  const missing = plan.memory.bytes - exports.memory.buffer.byteLength;
  if (missing > 0) exports.memory.grow(Math.ceil(missing / 65536));
  const memory = new Uint8Array(exports.memory.buffer);
  for (const { address, offset, bytes } of plan.memory.segments) {
    memory.set(image.subarray(offset, offset + bytes), address);
  }
  const length = plan.latent.shape[0] * plan.latent.shape[1];
  return Array.from({ length: Number(devices) }, (_, device) => {
    memory.set(read(`${job}/traces-${device}.f32`), plan.traces.address);
    for (const { export: name, args } of plan.calls) exports[name](...args);
    const latent = memory.subarray(plan.latent.address, plan.latent.address + length);
    return Array.from(latent, (byte) => byte.toString(16).padStart(2, "0")).join("");
  });
}

function read(path) {
  return new Uint8Array(GLib.file_get_contents(path)[1]);
}
