/** The page encodes, a worker encodes, and both say what they found. */
import { EdgeEncoder } from "epic-wasm/edge";

const traces = new Float32Array(await (await fetch("traces.f32")).arrayBuffer());
const encoder = await EdgeEncoder.load();
const here = hexOf(encoder.encode(traces, { device: 2 }));
const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
worker.onmessage = ({ data }) => {
  document.getElementById("result").textContent = JSON.stringify({ here, worker: hexOf(data) });
};
worker.postMessage(traces);

function hexOf(latent) {
  const bytes = new Uint8Array(latent.buffer, latent.byteOffset, latent.length);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
