/** The latent that the golden record's device 2 must give, from the installed package in Node. */
import { readFile } from "node:fs/promises";
import * as epic from "epic-wasm";
import { CentralDecoder } from "epic-wasm/central";
import { EdgeEncoder } from "epic-wasm/edge";
import { openKernels } from "epic-wasm/kernels";
import { Broker } from "epic-wasm/mqtt";
import { velocityMap } from "epic-wasm/physics";
import { encodeFrame } from "epic-wasm/protocol";

const encoder = await EdgeEncoder.load();
const bytes = new Uint8Array(await readFile("traces.f32"));
const latent = encoder.encode(new Float32Array(bytes.buffer), { device: 2 });
const decoder = await CentralDecoder.load();
const kernels = await openKernels("edge");
console.log(
  JSON.stringify({
    latent: Buffer.from(latent.buffer).toString("hex"),
    sameClass: epic.EdgeEncoder === EdgeEncoder,
    sameModel: decoder.modelId === encoder.modelId,
    kernels: typeof kernels.exports.igemm_s16,
    broker: typeof Broker.start,
    frame: typeof encodeFrame,
    map: velocityMap("flatvel-a", 1, 0).length,
  }),
);
