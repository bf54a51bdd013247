/**
 * A central node as an HTTP service in plain Node: latent frames in, a velocity map out.
 *
 *     node server.mjs --port 8080
 *     POST /decode    frames one after another    ->    float32 little-endian [rows][columns], m/s
 */
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { CentralDecoder } from "epic-wasm/central";
import { decodeFrame, frameLength } from "epic-wasm/protocol";

const { values } = parseArgs({ options: { port: { type: "string", default: "8080" } } });
const decoder = await CentralDecoder.load();
decoder.warmup();
const { geometry, latent } = decoder.config;
const bytesMax = geometry.devices.length * (64 + latent.slots * latent.channels);

const server = createServer(async (request, response) => {
  if (request.method !== "POST" || request.url !== "/decode") {
    response.writeHead(404).end("expected POST /decode\n");
    return;
  }
  try {
    const map = decode(await readBody(request));
    response.writeHead(200, { "content-type": "application/octet-stream" });
    response.end(new Uint8Array(map.buffer, map.byteOffset, map.byteLength));
  } catch (error) {
    response.writeHead(400).end(`${error.message}\n`);
  }
});
server.listen(Number(values.port), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

/** Decodes what has arrived; devices whose frame is not there are left out. */
function decode(bytes) {
  const latents = new Int8Array(geometry.devices.length * latent.slots * latent.channels);
  const present = geometry.devices.map(() => false);
  for (let at = 0; at < bytes.length; ) {
    const end = at + frameLength(bytes.subarray(at));
    const frame = decodeFrame(bytes.subarray(at, end));
    if (frame.modelId !== decoder.modelId) {
      throw new Error(`model: expected ${decoder.modelId}, got ${frame.modelId}`);
    }
    const block = geometry.devices[frame.device];
    if (frame.devices !== geometry.devices.length || frame.receivers !== block.receivers) {
      throw new Error(`device ${frame.device}: expected a frame of the model's survey`);
    }
    latents.set(frame.latent, frame.device * frame.latent.length);
    present[frame.device] = true;
    at = end;
  }
  return decoder.decode(latents, { present });
}

/** The request's body, refused as soon as it is longer than a record's frames. */
async function readBody(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > bytesMax) throw new Error(`body: expected at most ${bytesMax} bytes, got more`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
