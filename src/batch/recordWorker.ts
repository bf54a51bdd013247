/** Worker thread of a `RecordPool`: a record in, its map out. */
import { parentPort, workerData } from "node:worker_threads";
import { CentralDecoder } from "../central/decoder.ts";
import { EdgeEncoder } from "../edge/encoder.ts";
import { selectReceivers } from "../edge/receivers.ts";
import { expectWideVectors } from "../engine/wideVectors.ts";
import { checkArray } from "../model/checkArray.ts";
import type { RecordTask, RecordWorkerSetup } from "./recordPool.ts";
import type { WorkerReply } from "./workerPool.ts";

type Network = (record: Float32Array) => Float32Array;

const setup = workerData as RecordWorkerSetup;
if (setup.wide) expectWideVectors();
const loading = load(setup);
// A failure to load is the answer to the first record, not a crash.
loading.catch(() => {});

parentPort?.on("message", async ({ record }: RecordTask) => {
  const answer: WorkerReply<Float32Array> = await loading
    .then((infer) => infer(record))
    .then(
      (reply) => ({ reply }),
      (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }),
    );
  parentPort?.postMessage(answer);
});

async function load({ weights, module }: RecordWorkerSetup): Promise<Network> {
  const options = { ...(module && { module }) };
  const encoder = await EdgeEncoder.load({ ...options, ...(weights && { weights: weights.edge }) });
  const decoder = await CentralDecoder.load({
    ...options,
    ...(weights && { weights: weights.central }),
  });
  const { geometry, latent } = encoder.config;
  const { shots, samples, receivers, devices } = geometry;
  const count = latent.slots * latent.channels;
  const latents = new Int8Array(devices.length * count);
  const rows = devices.map((_, i) => latents.subarray(i * count, (i + 1) * count));
  const parts = devices.map((block) => new Float32Array(shots * samples * block.receivers));
  return (record) => {
    checkArray("record", record, Float32Array, [shots, samples, receivers]);
    devices.forEach((block, device) => {
      const traces = selectReceivers(record, receivers, block, parts[device]!);
      encoder.encode(traces, { device, out: rows[device]! });
    });
    return decoder.decode(latents);
  };
}
