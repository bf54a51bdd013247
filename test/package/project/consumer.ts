/** Every entry point's types, as a strict project without Node's types sees them. */
import { type CentralDecoder, type EdgeEncoder, type ModelConfig, mae } from "epic-wasm";
import { CentralDecoder as OnlyCentral } from "epic-wasm/central";
import { EdgeEncoder as OnlyEdge } from "epic-wasm/edge";
import { openKernels } from "epic-wasm/kernels";
import { ForwardModeller, lineSurvey, velocityMap } from "epic-wasm/physics";
import { decodeFrame, encodeFrame, type LatentFrame } from "epic-wasm/protocol";
import { PhysicsCheck } from "epic-wasm/trust";

export async function roundTrip(traces: Float32Array): Promise<Float32Array> {
  const encoder: EdgeEncoder = await OnlyEdge.load({ module: "simd" });
  const decoder: CentralDecoder = await OnlyCentral.load();
  const config: ModelConfig = encoder.config;
  const latent: Int8Array = encoder.encode(traces, { device: 0 });
  const frame: LatentFrame = decodeFrame(new Uint8Array(0));
  encodeFrame({ ...frame, latent });
  const geometry = lineSurvey(config.geometry);
  const modeller = await ForwardModeller.load({ boundary: "fast", geometry });
  modeller.model(velocityMap("style-a", 1, 0));
  await PhysicsCheck.load({ encoder });
  const { exports } = await openKernels("central", "scalar");
  exports.add_f32(0, 0, 0);
  const map: Float32Array = decoder.decode(latent, { present: [true] });
  const error: number = mae(map, map);
  return map.map((value) => value + error);
}

// @ts-expect-error a device index is a number
export const wrong = (encoder: EdgeEncoder) => encoder.encode(new Float32Array(), { device: "2" });
