/** A survey of three devices with two receivers each, and stand-ins for the two halves of a model. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Decoder } from "../../src/central/service.ts";
import type { Encoder } from "../../src/edge/agent.ts";
import { encodeNpy } from "../../src/io/npy.ts";
import type { ModelConfig } from "../../src/model/config.ts";
import { encodeFrame, type LatentFrame } from "../../src/protocol/index.ts";

export const modelId = "0123456789abcdef";

/** Only what agent and service read. */
export const config = {
  name: "small",
  geometry: {
    shots: 2,
    samples: 4,
    receivers: 6,
    dtMs: 1,
    dxM: 10,
    map: [2, 3],
    velocityMps: [1500, 4500],
    devices: [0, 2, 4].map((firstReceiver) => ({ firstReceiver, receivers: 2 })),
  },
  latent: { slots: 2, channels: 4 },
} as unknown as ModelConfig;

export const latentLength = 8;
const ownLength = 2 * 4 * 2;

/** Folds the traces into eight codes: every value counts, so wrong receivers show. */
export const encoder: Encoder = {
  config,
  modelId,
  encode(traces, { out = new Int8Array(latentLength) }) {
    if (traces.length !== ownLength) throw new RangeError(`traces: got ${traces.length}`);
    for (let i = 0; i < latentLength; i++) out[i] = traces[i]! + 2 * traces[i + latentLength]!;
    return out;
  },
};

/** The map holds, per device, the sum of its latent; -1 where it is missing. */
export const decoder: Decoder = {
  config,
  modelId,
  module: "scalar",
  decode(latents, { present = [true, true, true], out = new Float32Array(6) } = {}) {
    for (let device = 0; device < 3; device++) {
      const codes = latents.subarray(device * latentLength, (device + 1) * latentLength);
      out[device] = present[device] ? codes.reduce((sum, code) => sum + code, 0) : -1;
    }
    return out;
  },
};

/** Traces of all receivers, (2, 4, 6): small whole numbers, different for each record. */
export function allTraces(record: number): Float32Array {
  return Float32Array.from({ length: 48 }, (_, i) => ((i * 7 + record) % 23) - 11);
}

/** One device's traces out of all, (2, 4, 2). */
export function ownTraces(record: number, device: number): Float32Array {
  const own: number[] = [];
  const all = allTraces(record);
  for (let row = 0; row < 8; row++) {
    own.push(all[row * 6 + device * 2]!, all[row * 6 + device * 2 + 1]!);
  }
  return Float32Array.from(own);
}

export function npy(shape: readonly number[], values: Float32Array): Uint8Array {
  return encodeNpy(shape, values);
}

export function latentOf(record: number, device: number): Int8Array {
  return encoder.encode(ownTraces(record, device), { device, out: new Int8Array(latentLength) });
}

export function frameOf(
  record: number,
  device: number,
  change: Partial<LatentFrame> = {},
): Uint8Array {
  return encodeFrame({
    encoding: 0,
    modelId,
    survey: "field",
    record: BigInt(record),
    device,
    devices: 3,
    firstReceiver: device * 2,
    receivers: 2,
    acquiredNs: 0n,
    latent: latentOf(record, device),
    ...change,
  });
}

/** A scratch folder that disappears with `dispose`. */
export async function scratch(): Promise<{ path: string; dispose(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "epic-test-"));
  return { path, dispose: () => rm(path, { recursive: true, force: true }) };
}

/** Waits for a condition; fails after a generous while, naming it. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 50_000,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
