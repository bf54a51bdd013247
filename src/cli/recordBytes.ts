/** Bytes that one record's latents cost, without sending them. */
import type { ModelConfig } from "../model/config.ts";
import { FRAME_OVERHEAD_BYTES, latentTopic } from "../protocol/index.ts";
import { LinkMeter } from "../transport/meter.ts";

export interface RecordBytes {
  /** float32 traces of all receivers. */
  readonly raw: number;
  /** Latents alone, int8. */
  readonly payload: number;
  /** Frames over open MQTT connections, with TCP/IP and Ethernet headers: an estimate. */
  readonly wire: number;
}

export function recordBytes({ geometry, latent }: ModelConfig): RecordBytes {
  const { shots, samples, receivers, devices } = geometry;
  const latentBytes = latent.slots * latent.channels;
  let wire = 0;
  for (const [device] of devices.entries()) wire += publishWireBytes(latentBytes, device);
  return {
    raw: 4 * shots * samples * receivers,
    payload: devices.length * latentBytes,
    wire,
  };
}

/** One QoS 1 PUBLISH of a frame and its PUBACK (MQTT 3.1.1, sections 3.3 and 3.4). */
function publishWireBytes(latentBytes: number, device: number): number {
  const topicBytes = latentTopic("survey", 0, device).length;
  const rest = 2 + topicBytes + 2 + FRAME_OVERHEAD_BYTES + latentBytes;
  const meter = new LinkMeter();
  meter.received(1 + lengthFieldBytes(rest) + rest);
  meter.sent(4);
  return meter.snapshot().wire;
}

/** MQTT's variable length: seven bits per byte. */
function lengthFieldBytes(length: number): number {
  return Math.max(1, Math.ceil(Math.log2(length + 1) / 7));
}
