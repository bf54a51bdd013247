/** The rivals: what a device makes of its traces, and how the centre turns that of all devices into a map. */
import { CentralDecoder } from "../central/decoder.ts";
import { EdgeEncoder } from "../edge/encoder.ts";
import type { ModuleName } from "../engine/kernels.ts";
import type { ModelFiles } from "../io/modelFiles.ts";
import type { ModelConfig } from "../model/config.ts";
import {
  decodeFrame,
  Encoding,
  encodeFrame,
  FRAME_OVERHEAD_BYTES,
  type LatentCoder,
  type LatentEncoding,
  readFrameHeader,
} from "../protocol/index.ts";
import { RawCodec } from "./rawCodec.ts";
import { SplitEncoder } from "./splitEncoder.ts";

export const ARMS = [
  "raw",
  "raw-packed",
  "split",
  "isolated",
  "epic",
  "epic-4bit",
  "epic-packed",
] as const;

export type ArmName = (typeof ARMS)[number];

/** The encoding of latents in frames, for the arms that send frames. */
export const FRAME_ENCODINGS: Readonly<Partial<Record<ArmName, LatentEncoding>>> = {
  epic: Encoding.int8,
  "epic-4bit": Encoding.nibble,
  "epic-packed": Encoding.entropy,
};

/** Cut for the split arm: after the first layer, where a device computes least. */
const SPLIT_LAYER = 0;
const MAP_STEPS = 255;

/** Survey of the frames. */
export const SURVEY = "testbed";
/** What the arms without frames put before their payload: a record id, less than a frame's header. */
const ID_BYTES = 4;

export interface Arm {
  /** Bytes of a message that are not payload. */
  readonly overheadBytes: number;
  /** The device's half: one device's traces -> the message that travels. */
  prepare(traces: Float32Array, device: number, id: number): Uint8Array;
  /** The centre's half: the messages of all devices -> map, m/s, [rows][columns], fresh. */
  decode(messages: readonly Uint8Array[]): Float32Array;
}

/** An arm but for the id in front of its payload. */
type PayloadArm = {
  pack(traces: Float32Array, device: number): Uint8Array;
  unpack(payloads: readonly Uint8Array[]): Float32Array;
};

/** The record id in a message of that arm. */
export function idOf(arm: ArmName, message: Uint8Array): number {
  if (FRAME_ENCODINGS[arm] !== undefined) return Number(readFrameHeader(message).record);
  return new DataView(message.buffer, message.byteOffset).getUint32(0, true);
}

/** Both halves of every arm over one model: devices use one half of it, the centre the other. */
export class ArmBench {
  readonly config: ModelConfig;
  readonly modelId: string;
  readonly module: ModuleName;
  readonly coder: LatentCoder | undefined;
  readonly #encoder: EdgeEncoder;
  readonly #decoder: CentralDecoder;
  readonly #split: SplitEncoder;
  readonly #codec: RawCodec;
  readonly #latentLength: number;

  static async load(files: ModelFiles, module?: ModuleName): Promise<ArmBench> {
    const choice = module && { module };
    const encoder = await EdgeEncoder.load({ weights: files.edge, ...choice });
    const decoder = await CentralDecoder.load({ weights: files.central, ...choice });
    const split = await SplitEncoder.load(files.edge, SPLIT_LAYER, module);
    encoder.warmup();
    decoder.warmup();
    return new ArmBench(encoder, decoder, split);
  }

  private constructor(encoder: EdgeEncoder, decoder: CentralDecoder, split: SplitEncoder) {
    this.config = encoder.config;
    this.modelId = encoder.modelId;
    this.module = encoder.module;
    this.coder = encoder.coder;
    this.#encoder = encoder;
    this.#decoder = decoder;
    this.#split = split;
    this.#codec = new RawCodec(encoder.config);
    this.#latentLength = encoder.config.latent.slots * encoder.config.latent.channels;
  }

  arm(name: ArmName): Arm {
    const encoding = FRAME_ENCODINGS[name];
    return encoding === undefined ? withId(this.#payloadArm(name)) : this.#frames(encoding);
  }

  #payloadArm(name: ArmName): PayloadArm {
    const encode = (traces: Float32Array, device: number) =>
      this.#encoder.encode(traces, { device }).slice();
    const receivers = (device: number) => this.config.geometry.devices[device]!.receivers;
    switch (name) {
      case "raw":
        return {
          pack: bytesOf,
          unpack: (payloads) =>
            this.#join(payloads.map((payload, device) => encode(floatsOf(payload), device))),
        };
      case "raw-packed":
        return {
          pack: (traces, device) => this.#codec.pack(traces, receivers(device)),
          unpack: (payloads) =>
            this.#join(
              payloads.map((payload, device) =>
                encode(this.#codec.unpack(payload, receivers(device)), device),
              ),
            ),
        };
      case "split":
        return {
          pack: (traces) => this.#split.head(traces),
          unpack: (payloads) => this.#join(payloads.map((payload) => this.#split.tail(payload))),
        };
      case "isolated":
        return {
          pack: (traces, device) => this.#toSteps(this.#alone(encode(traces, device), device)),
          unpack: (payloads) => this.#average(payloads),
        };
      default:
        throw new Error(`arm: expected one without frames, got ${name}`);
    }
  }

  /** EPIC as the product sends it. */
  #frames(encoding: LatentEncoding): Arm {
    const { devices } = this.config.geometry;
    return {
      overheadBytes: FRAME_OVERHEAD_BYTES,
      prepare: (traces, device, id) => {
        const latent = this.#encoder.encode(traces, { device });
        const place = { device, devices: devices.length, ...devices[device]! };
        const record = { survey: SURVEY, record: BigInt(id), acquiredNs: 0n };
        const frame = { encoding, modelId: this.modelId, ...record, ...place, latent };
        return encodeFrame(frame, this.coder);
      },
      decode: (frames) => this.#join(frames.map((frame) => decodeFrame(frame, this.coder).latent)),
    };
  }

  /** Decodes the latents of all devices; each is copied before the next is made. */
  #join(latents: readonly Int8Array[]): Float32Array {
    const all = new Int8Array(latents.length * this.#latentLength);
    latents.forEach((latent, device) => {
      all.set(latent, device * this.#latentLength);
    });
    return this.#decoder.decode(all).slice();
  }

  /** The map that one device's latent gives with all others absent. */
  #alone(latent: Int8Array, device: number): Float32Array {
    const { devices } = this.config.geometry;
    const all = new Int8Array(devices.length * this.#latentLength);
    all.set(latent, device * this.#latentLength);
    return this.#decoder.decode(all, { present: devices.map((_, i) => i === device) });
  }

  /** One byte a cell: 11.8 m/s a step. */
  #toSteps(map: Float32Array): Uint8Array {
    const [low, high] = this.config.geometry.velocityMps;
    return Uint8Array.from(map, (velocity) =>
      Math.max(0, Math.min(MAP_STEPS, Math.round(((velocity - low) / (high - low)) * MAP_STEPS))),
    );
  }

  #average(maps: readonly Uint8Array[]): Float32Array {
    const [low, high] = this.config.geometry.velocityMps;
    const scale = (high - low) / (MAP_STEPS * maps.length);
    return Float32Array.from(maps[0]!, (_, cell) =>
      maps.reduce((velocity, map) => velocity + map[cell]! * scale, low),
    );
  }
}

function withId({ pack, unpack }: PayloadArm): Arm {
  return {
    overheadBytes: ID_BYTES,
    prepare: (traces, device, id) => {
      const payload = pack(traces, device);
      const message = new Uint8Array(ID_BYTES + payload.length);
      new DataView(message.buffer).setUint32(0, id, true);
      message.set(payload, ID_BYTES);
      return message;
    },
    decode: (messages) => unpack(messages.map((message) => message.subarray(ID_BYTES))),
  };
}

function bytesOf(traces: Float32Array): Uint8Array {
  return new Uint8Array(traces.buffer, traces.byteOffset, traces.byteLength);
}

function floatsOf(payload: Uint8Array): Float32Array {
  // Not payload.slice(): on a Node Buffer that is a view, not a copy.
  return new Float32Array(new Uint8Array(payload).buffer);
}
