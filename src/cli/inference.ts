/** Both halves of the model in one thread: a record in, its latents and its map out. */
import { CentralDecoder } from "../central/decoder.ts";
import { EdgeEncoder } from "../edge/encoder.ts";
import { loadModel } from "../io/modelFiles.ts";
import type { DeviceBlock, ModelConfig } from "../model/config.ts";
import type { ModuleName } from "./common.ts";

export interface InferenceSetup {
  /** Model folder; the shipped model when absent. */
  readonly model?: string;
  readonly module?: ModuleName;
}

export interface InferenceResult {
  /** [rows][columns], m/s. */
  readonly map: Float32Array;
  /** Time of each device's encoding, ms. */
  readonly msEncode: readonly number[];
  readonly msDecode: number;
}

export class Inference {
  readonly config: ModelConfig;
  readonly modelId: string;
  readonly module: ModuleName;
  readonly #encoder: EdgeEncoder;
  readonly #decoder: CentralDecoder;
  readonly #traces: Float32Array;
  readonly #latents: Int8Array;
  readonly #latentLength: number;

  /** Throws Error or WeightsError when the two halves cannot be read or do not belong together. */
  static async load(setup: InferenceSetup): Promise<Inference> {
    const files = await loadModel(setup.model);
    const module = setup.module && { module: setup.module };
    const [encoder, decoder] = await Promise.all([
      EdgeEncoder.load({ weights: files.edge, ...module }),
      CentralDecoder.load({ weights: files.central, ...module }),
    ]);
    if (encoder.modelId !== decoder.modelId) {
      const expected = `central weights: expected those of edge model ${encoder.modelId}`;
      throw new Error(`${expected}, got ${decoder.modelId}`);
    }
    encoder.warmup();
    decoder.warmup();
    return new Inference(encoder, decoder);
  }

  private constructor(encoder: EdgeEncoder, decoder: CentralDecoder) {
    this.config = encoder.config;
    this.modelId = encoder.modelId;
    this.module = encoder.module;
    this.#encoder = encoder;
    this.#decoder = decoder;
    const { geometry, latent } = this.config;
    const receivers = Math.max(...geometry.devices.map((device) => device.receivers));
    this.#traces = new Float32Array(geometry.shots * geometry.samples * receivers);
    this.#latentLength = latent.slots * latent.channels;
    this.#latents = new Int8Array(geometry.devices.length * this.#latentLength);
  }

  /**
   * @param record [shots][samples][receivers] of all receivers
   * @param present devices that take part; all when absent
   */
  run(record: Float32Array, present?: readonly boolean[]): InferenceResult {
    const msEncode = this.config.geometry.devices.map((block, device) => {
      if (present && !present[device]) return 0;
      const traces = selectReceivers(record, this.config.geometry.receivers, block, this.#traces);
      const from = device * this.#latentLength;
      const out = this.#latents.subarray(from, from + this.#latentLength);
      return timed(() => this.#encoder.encode(traces, { device, out }));
    });
    const [rows, columns] = this.config.geometry.map;
    const map = new Float32Array(rows * columns);
    const msDecode = timed(() =>
      this.#decoder.decode(this.#latents, { out: map, ...(present && { present }) }),
    );
    return { map, msEncode, msDecode };
  }

  dispose(): void {
    this.#encoder.dispose();
    this.#decoder.dispose();
  }
}

/**
 * One device's block of receivers of a record.
 * record  [shots * samples][receivers]
 * out     at least [shots * samples][block.receivers]
 * Returns the part of `out` that was written.
 */
export function selectReceivers(
  record: Float32Array,
  receivers: number,
  block: DeviceBlock,
  out: Float32Array,
): Float32Array {
  const rows = record.length / receivers;
  for (let row = 0; row < rows; row++) {
    const from = row * receivers + block.firstReceiver;
    out.set(record.subarray(from, from + block.receivers), row * block.receivers);
  }
  return out.subarray(0, rows * block.receivers);
}

function timed(run: () => unknown): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}
