/**
 * A device in a Worker (Cloudflare, workerd). Workers compile no WebAssembly while they run, so the module is imported compiled and
 * handed to `load`; the weights are imported as data.
 *
 *     POST /?device=2&record=7    traces, float32 little-endian [shots][samples][receivers]    ->    a latent frame
 */
import { EdgeEncoder } from "epic-wasm/edge";
import { Encoding, encodeFrame } from "epic-wasm/protocol";
import compiled from "epic-wasm/wasm/edge.simd.wasm";
import weights from "epic-wasm/weights/epic-base/edge.safetensors";

/** One encoder per isolate: loading takes milliseconds, encoding a fraction of one. */
let encoder;

export default {
  async fetch(request) {
    if (request.method !== "POST") return new Response("expected POST\n", { status: 405 });
    encoder ??= await EdgeEncoder.load({
      weights: new Uint8Array(weights),
      module: "simd",
      compiled,
    });
    try {
      return new Response(await encode(request), {
        headers: { "content-type": "application/octet-stream" },
      });
    } catch (error) {
      return new Response(`${error.message}\n`, { status: 400 });
    }
  },
};

async function encode(request) {
  const { searchParams } = new URL(request.url);
  const device = Number(searchParams.get("device"));
  const traces = new Float32Array(await request.arrayBuffer());
  const latent = encoder.encode(traces, { device });
  const { devices } = encoder.config.geometry;
  return encodeFrame({
    encoding: Encoding.int8,
    modelId: encoder.modelId,
    survey: "line-1",
    record: BigInt(searchParams.get("record") ?? 0),
    device,
    devices: devices.length,
    ...devices[device],
    acquiredNs: 0n,
    latent,
  });
}
