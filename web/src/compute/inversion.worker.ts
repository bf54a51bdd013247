/** Models, encodes, sends and decodes one record at a time; checks the map when there is nothing else to do. */
import { Inversion } from "./inversion.ts";
import type { InversionReply, InversionRequest } from "./messages.ts";

let inversion: Inversion | undefined;
let pendingCheck: ReturnType<typeof setTimeout> | undefined;

addEventListener("message", (event: MessageEvent<InversionRequest>) => {
  clearTimeout(pendingCheck);
  answer(event.data).catch((error: unknown) => {
    reply({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  });
});

async function answer(request: InversionRequest): Promise<void> {
  if (request.kind === "load") {
    await load(request.modelUrl);
    return;
  }
  if (inversion === undefined) throw new Error("model: expected a loaded model, got none yet");
  const { input } = request;
  const output = inversion.run(input);
  const map = output.map?.slice();
  reply({ kind: "done", output });
  if (map !== undefined) pendingCheck = setTimeout(() => check(map, input.present), 0);
}

async function load(modelUrl: string): Promise<void> {
  const [edge, central] = await Promise.all([
    fetchBytes(`${modelUrl}edge.safetensors`),
    fetchBytes(`${modelUrl}central.safetensors`),
  ]);
  const loaded = await Inversion.load({ edge, central });
  inversion = loaded;
  const { config, encoder, decoder } = loaded;
  reply({
    kind: "loaded",
    about: {
      config,
      modelId: encoder.modelId,
      edgeModule: encoder.module,
      centralModule: decoder.module,
      moduleReason: decoder.moduleReason,
      weightsBytes: edge.length + central.length,
    },
  });
}

/** One forward modelling and as many encodings as there are devices: as long as the run itself. */
function check(map: Float32Array, present: readonly boolean[]): void {
  const begin = performance.now();
  const latentMisfit = inversion!.latentMisfit(map, present);
  reply({ kind: "misfit", latentMisfit, ms: performance.now() - begin });
}

async function fetchBytes(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`model: expected ${url}, got HTTP status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

function reply(message: InversionReply): void {
  postMessage(message);
}
