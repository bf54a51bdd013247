import { EdgeEncoder } from "epic-wasm/edge";

self.onmessage = async ({ data }) => {
  const encoder = await EdgeEncoder.load();
  self.postMessage(encoder.encode(data, { device: 2 }).slice());
};
