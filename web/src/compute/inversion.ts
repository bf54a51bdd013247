/** One record's way from the ground to the map: what the devices and the central node do. */
import { CentralDecoder } from "../../../src/central/decoder.ts";
import { EdgeEncoder } from "../../../src/edge/encoder.ts";
import { selectReceivers } from "../../../src/edge/receivers.ts";
import { type MapScore, scoreMap } from "../../../src/metrics/index.ts";
import type { ModelConfig } from "../../../src/model/config.ts";
import { ForwardModeller, lineSurvey } from "../../../src/physics/index.ts";
import { Random } from "../../../src/physics/random.ts";
import { decodeFrame, encodeFrame, type LatentEncoding } from "../../../src/protocol/index.ts";
import { PhysicsCheck } from "../../../src/trust/index.ts";

export interface InversionInput {
  /** [rows][columns], m/s. */
  readonly truth: Float32Array;
  /** Standard deviation of the noise as a share of the record's RMS amplitude, 0 = none. */
  readonly noise: number;
  readonly encoding: LatentEncoding;
  /** One flag per device. */
  readonly present: readonly boolean[];
}

/** Milliseconds of the stages, each as last run. */
export interface StageTimes {
  /** All shots over the map. */
  readonly model: number;
  /** One device, mean over all of them. */
  readonly encode: number;
  readonly decode: number;
}

export interface InversionOutput {
  /** What the receivers recorded, noise included: [shots][samples][receivers]. */
  readonly record: Float32Array;
  /** As they arrive at the central node: [devices][slots][channels]. */
  readonly latents: Int8Array;
  /** Of the frame that carries each device's latent. */
  readonly frameBytes: readonly number[];
  /** [rows][columns], m/s; undefined when no device is there. */
  readonly map: Float32Array | undefined;
  readonly score: MapScore | undefined;
  readonly ms: StageTimes;
}

export interface Weights {
  readonly edge: Uint8Array;
  readonly central: Uint8Array;
}

/** Runs the stages whose input has changed; the others keep their output. */
export class Inversion {
  readonly config: ModelConfig;
  readonly encoder: EdgeEncoder;
  readonly decoder: CentralDecoder;
  readonly #modeller: ForwardModeller;
  readonly #check: PhysicsCheck;
  readonly #deviceTraces: readonly Float32Array[];
  readonly #clean: Float32Array;
  readonly #record: Float32Array;
  /** Codes before the frame's encoding: [devices][slots][channels]. */
  readonly #codes: Int8Array;
  readonly #received: Int8Array;
  /** Deviation 1, one value per sample of a record; made when first asked for. */
  #unitNoise: Float32Array | undefined;
  #last: { truth: Float32Array; noise: number } | undefined;
  #ms: { model: number; encode: number; decode: number } = { model: 0, encode: 0, decode: 0 };

  /** @throws Error of one line when the weights are no model, or not of one model */
  static async load(weights: Weights): Promise<Inversion> {
    const encoder = await EdgeEncoder.load({ weights: weights.edge });
    const decoder = await CentralDecoder.load({ weights: weights.central });
    if (encoder.modelId !== decoder.modelId) {
      throw new Error(
        `model: expected a central half for ${encoder.modelId}, got one for ${decoder.modelId}`,
      );
    }
    const check = await PhysicsCheck.load({ encoder });
    const geometry = lineSurvey(encoder.config.geometry);
    const modeller = await ForwardModeller.load({ boundary: "fast", geometry });
    encoder.warmup();
    decoder.warmup();
    return new Inversion(encoder, decoder, modeller, check);
  }

  private constructor(
    encoder: EdgeEncoder,
    decoder: CentralDecoder,
    modeller: ForwardModeller,
    check: PhysicsCheck,
  ) {
    this.encoder = encoder;
    this.decoder = decoder;
    this.config = encoder.config;
    this.#modeller = modeller;
    this.#check = check;
    const { geometry, latent } = this.config;
    const { shots, samples, devices } = geometry;
    this.#deviceTraces = devices.map(
      ({ receivers }) => new Float32Array(shots * samples * receivers),
    );
    this.#clean = new Float32Array(modeller.recordLength);
    this.#record = new Float32Array(modeller.recordLength);
    this.#codes = new Int8Array(devices.length * latent.slots * latent.channels);
    this.#received = new Int8Array(this.#codes.length);
  }

  /** The arrays returned are valid until the next call. */
  run(input: InversionInput): InversionOutput {
    this.#recordAndEncode(input);
    const frameBytes = this.#transmit(input.encoding);
    const map = input.present.includes(true) ? this.#decode(input.present) : undefined;
    return {
      record: this.#record,
      latents: this.#received,
      frameBytes,
      map,
      score: map && scoreMap(map, input.truth, this.config.geometry.map[0]),
      ms: { ...this.#ms },
    };
  }

  /** Relative L2 of the latents that a map's own records give, to those received in the last run. */
  latentMisfit(map: Float32Array, present: readonly boolean[]): number {
    return this.#check.latentMisfit(map, this.#received, { present });
  }

  #recordAndEncode({ truth, noise }: InversionInput): void {
    const last = this.#last;
    const sameTruth = last?.truth.every((velocity, i) => velocity === truth[i]) ?? false;
    if (sameTruth && last?.noise === noise) return;
    if (!sameTruth) {
      const begin = performance.now();
      this.#modeller.model(truth, this.#clean);
      this.#ms.model = performance.now() - begin;
    }
    this.#addNoise(noise);
    this.#encode();
    this.#last = { truth: truth.slice(), noise };
  }

  #addNoise(share: number): void {
    this.#record.set(this.#clean);
    if (share === 0) return;
    this.#unitNoise ??= unitNoise(this.#record.length);
    const amplitude = share * rms(this.#clean);
    for (let i = 0; i < this.#record.length; i++) {
      this.#record[i] = this.#clean[i]! + amplitude * this.#unitNoise[i]!;
    }
  }

  #encode(): void {
    const { receivers, devices } = this.config.geometry;
    devices.forEach((block, device) => {
      selectReceivers(this.#record, receivers, block, this.#deviceTraces[device]!);
    });
    const begin = performance.now();
    devices.forEach((_, device) => {
      this.encoder.encode(this.#deviceTraces[device]!, { device, out: this.#latentOf(device) });
    });
    this.#ms.encode = (performance.now() - begin) / devices.length;
  }

  /** Each latent through a frame, as it would go through MQTT. Returns the bytes of each frame. */
  #transmit(encoding: LatentEncoding): number[] {
    const { devices } = this.config.geometry;
    return devices.map((block, device) => {
      const frame = encodeFrame({
        encoding,
        modelId: this.encoder.modelId,
        survey: "page",
        record: 1n,
        device,
        devices: devices.length,
        ...block,
        acquiredNs: 0n,
        latent: this.#latentOf(device),
      });
      const { latent } = decodeFrame(frame);
      this.#received.set(latent, device * latent.length);
      return frame.length;
    });
  }

  #decode(present: readonly boolean[]): Float32Array {
    const begin = performance.now();
    const map = this.decoder.decode(this.#received, { present });
    this.#ms.decode = performance.now() - begin;
    return map;
  }

  #latentOf(device: number): Int8Array {
    const { slots, channels } = this.config.latent;
    const length = slots * channels;
    return this.#codes.subarray(device * length, (device + 1) * length);
  }
}

/** One fixed stream, so that the same settings give the same bits everywhere. */
function unitNoise(length: number): Float32Array {
  const random = Random.of("receiver-noise", 1);
  return Float32Array.from({ length }, () => random.normal());
}

function rms(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return Math.sqrt(sum / values.length);
}
