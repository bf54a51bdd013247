/** A worker thread of Node that encodes what it is sent. */

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parentPort, Worker, workerData } from "node:worker_threads";

if (parentPort) {
  const { EdgeEncoder } = await import("epic-wasm/edge");
  const encoder = await EdgeEncoder.load();
  parentPort.postMessage(encoder.encode(workerData, { device: 2 }).slice());
} else {
  const bytes = new Uint8Array(await readFile("traces.f32"));
  const worker = new Worker(fileURLToPath(import.meta.url), {
    workerData: new Float32Array(bytes.buffer),
  });
  worker.once("message", (latent) => console.log(Buffer.from(latent.buffer).toString("hex")));
}
