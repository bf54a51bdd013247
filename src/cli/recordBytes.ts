/** Bytes that one record's latents cost, without sending them. */
import type { ModelConfig } from "../model/config.ts";
import { ackTopic, encodeAck, FRAME_OVERHEAD_BYTES, latentTopic } from "../protocol/index.ts";
import { LinkMeter } from "../transport/meter.ts";

/** Of middling length. */
const SURVEY = "survey";

export interface RecordBytes {
  /** float32 traces of all receivers. */
  readonly raw: number;
  /** Latents alone, int8. */
  readonly payload: number;
  /** Frames and acknowledgements over open MQTT connections, with TCP/IP and Ethernet headers: an estimate. */
  readonly wire: number;
}

export function recordBytes({ geometry, latent }: ModelConfig): RecordBytes {
  const { shots, samples, receivers, devices } = geometry;
  const latentBytes = latent.slots * latent.channels;
  let wire = 0;
  for (const [device] of devices.entries()) wire += frameWireBytes(latentBytes, device);
  return {
    raw: 4 * shots * samples * receivers,
    payload: devices.length * latentBytes,
    wire,
  };
}

/** A frame, published with QoS 0, and the acknowledgement that comes back. */
function frameWireBytes(latentBytes: number, device: number): number {
  const ack = encodeAck({ status: "committed", record: 0n, modelId: "0".repeat(16) });
  const meter = new LinkMeter();
  meter.received(publishBytes(latentTopic(SURVEY, 0, device), FRAME_OVERHEAD_BYTES + latentBytes));
  meter.sent(publishBytes(ackTopic(SURVEY, 0, device), ack.length));
  return meter.snapshot().wire;
}

/** An MQTT PUBLISH of QoS 0 (MQTT 3.1.1, section 3.3). */
function publishBytes(topic: string, payloadBytes: number): number {
  const rest = 2 + topic.length + payloadBytes;
  return 1 + lengthFieldBytes(rest) + rest;
}

/** MQTT's variable length: seven bits per byte. */
function lengthFieldBytes(length: number): number {
  return Math.max(1, Math.ceil(Math.log2(length + 1) / 7));
}
