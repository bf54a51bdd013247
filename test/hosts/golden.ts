/** The golden record: test/vectors/model, as train/export.py computed it in NumPy. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Geometry, parseConfig, readSafetensors } from "../../src/index.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Golden {
  readonly geometry: Geometry;
  readonly modelId: string;
  /** Of each device, f32 [shots][samples][receivers]. */
  readonly traces: readonly Float32Array[];
  /** Of each device, int8 [slots][channels]. */
  readonly latents: readonly Int8Array[];
  /** From all latents, m/s. */
  readonly map: Float32Array;
}

export function readGolden(): Golden {
  const { tensors, metadata } = readSafetensors(read("test/vectors/model/epic-base.safetensors"));
  const central = readSafetensors(read("weights/epic-base/central.safetensors"));
  const { geometry } = parseConfig(central.metadata.get("config")!);
  const { devices, receivers } = geometry;
  const codes = tensors.get("traces")!.data;
  const step = Number(metadata.get("traceStep"));
  const all = tensors.get("latents")!.data as Int8Array;
  const length = all.length / devices.length;
  return {
    geometry,
    modelId: central.metadata.get("edge_sha256")!.slice(0, 16),
    traces: devices.map(({ firstReceiver, receivers: count }) => {
      const traces = new Float32Array((codes.length / receivers) * count);
      return traces.map((_, i) => {
        const receiver = firstReceiver + (i % count);
        return codes[Math.floor(i / count) * receivers + receiver]! * step;
      });
    }),
    latents: devices.map((_, device) => all.slice(device * length, (device + 1) * length)),
    map: tensors.get("map.all")!.data as Float32Array,
  };
}

function read(path: string): Uint8Array {
  return readFileSync(`${root}/${path}`);
}

export function bytesOf(values: Float32Array | Int8Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

export function hexOf(latent: Int8Array): string {
  return Buffer.from(bytesOf(latent)).toString("hex");
}
