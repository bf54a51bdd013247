/** What one thread can do with a model: encode, decode, or both. */
import { CentralDecoder } from "../central/decoder.ts";
import { EdgeEncoder } from "../edge/encoder.ts";
import { selectReceivers } from "../edge/receivers.ts";
import { loadModelHalf } from "../io/modelFiles.ts";
import { type FamilyName, velocityMap } from "../physics/families/index.ts";
import { type Boundary, ForwardModeller, lineSurvey } from "../physics/index.ts";
import { PhysicsCheck } from "../trust/index.ts";
import type { ModuleName } from "./common.ts";
import { decodeVariants, type Variant } from "./variants.ts";

export interface ModelSetup {
  /** Model folder; the shipped model when absent. */
  readonly model?: string;
  readonly module?: ModuleName;
}

/** One thread's worker on tasks of one kind. */
export interface Runner<Task, Reply> {
  run(task: Task): Reply | Promise<Reply>;
  dispose(): void;
}

export interface EncodeTask {
  readonly index: number;
  readonly device: number;
  /** [shots][samples][receivers of the device] */
  readonly traces: Float32Array;
}

export interface EncodeReply {
  readonly latent: Int8Array;
  readonly ms: number;
}

export class EncodeRunner implements Runner<EncodeTask, EncodeReply> {
  readonly encoder: EdgeEncoder;

  static async load({ model, module }: ModelSetup): Promise<EncodeRunner> {
    const weights = await loadModelHalf("edge", model);
    const encoder = await EdgeEncoder.load({ weights, ...(module && { module }) });
    encoder.warmup();
    return new EncodeRunner(encoder);
  }

  private constructor(encoder: EdgeEncoder) {
    this.encoder = encoder;
  }

  run({ traces, device }: EncodeTask): EncodeReply {
    const { slots, channels } = this.encoder.config.latent;
    const latent = new Int8Array(slots * channels);
    const ms = timed(() => this.encoder.encode(traces, { device, out: latent }));
    return { latent, ms };
  }

  dispose(): void {
    this.encoder.dispose();
  }
}

export interface DecodeTask {
  readonly index: number;
  /** [devices][slots * channels] */
  readonly latents: Int8Array;
  /** By device. */
  readonly present: readonly boolean[];
}

export interface DecodeReply {
  /** [rows][columns], m/s. */
  readonly map: Float32Array;
  readonly ms: number;
}

export class DecodeRunner implements Runner<DecodeTask, DecodeReply> {
  readonly decoder: CentralDecoder;

  static async load({ model, module }: ModelSetup): Promise<DecodeRunner> {
    const weights = await loadModelHalf("central", model);
    const decoder = await CentralDecoder.load({ weights, ...(module && { module }) });
    decoder.warmup();
    return new DecodeRunner(decoder);
  }

  private constructor(decoder: CentralDecoder) {
    this.decoder = decoder;
  }

  run({ latents, present }: DecodeTask): DecodeReply {
    const [rows, columns] = this.decoder.config.geometry.map;
    const map = new Float32Array(rows * columns);
    const ms = timed(() => this.decoder.decode(latents, { present, out: map }));
    return { map, ms };
  }

  dispose(): void {
    this.decoder.dispose();
  }
}

/** What to do with a record besides decoding it. */
export interface InferExtras {
  /** Compute the trust figures, modelling the predicted map with this boundary. */
  readonly check?: Boundary;
  /** Decode the record without some of its devices as well, and from 4-bit latents. */
  readonly variants?: boolean;
}

/** A record's traces, or a map to model first. */
export type InferTask = InferExtras &
  (
    | {
        readonly index: number;
        /** [shots][samples][receivers] */
        readonly record: Float32Array;
      }
    | {
        readonly index: number;
        readonly family: FamilyName;
        readonly seed: number;
        readonly boundary: Boundary;
      }
  );

/** What tells how far to trust a map when nobody knows the true one (docs/trust.md). */
export interface Trust {
  readonly latentMisfit: number;
  readonly dataMisfit: number;
}

export interface InferReply {
  /** [rows][columns], m/s. */
  readonly map: Float32Array;
  /** By device. */
  readonly msEncode: readonly number[];
  readonly msDecode: number;
  /** The family's map, m/s. */
  readonly truth?: Float32Array;
  /** Both figures, and the time that they took together. */
  readonly trust?: Trust & { readonly ms: number };
  readonly variants?: readonly Variant[];
}

export class InferRunner implements Runner<InferTask, InferReply> {
  readonly encode: EncodeRunner;
  readonly decode: DecodeRunner;
  readonly #traces: Float32Array[];
  #modeller: ForwardModeller | undefined;
  #check: PhysicsCheck | undefined;

  /** Throws when a half cannot be read or the two do not belong together. */
  static async load(setup: ModelSetup): Promise<InferRunner> {
    // One after the other: what is missing is then always named by the same file.
    const encode = await EncodeRunner.load(setup);
    const decode = await DecodeRunner.load(setup);
    const [edgeId, centralId] = [encode.encoder.modelId, decode.decoder.modelId];
    if (edgeId !== centralId) {
      throw new Error(`model: expected central weights of edge model ${edgeId}, got ${centralId}`);
    }
    return new InferRunner(encode, decode);
  }

  private constructor(encode: EncodeRunner, decode: DecodeRunner) {
    this.encode = encode;
    this.decode = decode;
    const { shots, samples, devices } = encode.encoder.config.geometry;
    this.#traces = devices.map(({ receivers }) => new Float32Array(shots * samples * receivers));
  }

  async run(task: InferTask): Promise<InferReply> {
    if ("record" in task) return this.#infer(task, task.record);
    const { geometry } = this.encode.encoder.config;
    const truth = velocityMap(task.family, task.seed, task.index, geometry.map);
    const modeller = await this.#modellerFor(task.boundary);
    return { ...(await this.#infer(task, modeller.model(truth))), truth };
  }

  dispose(): void {
    this.#check?.dispose();
    this.#modeller?.dispose();
    this.encode.dispose();
    this.decode.dispose();
  }

  async #infer(task: InferTask, record: Float32Array): Promise<InferReply> {
    const { index } = task;
    const { receivers, devices } = this.encode.encoder.config.geometry;
    const encoded = devices.map((block, device) => {
      const traces = selectReceivers(record, receivers, block, this.#traces[device]!);
      return this.encode.run({ index, device, traces });
    });
    const length = encoded[0]!.latent.length;
    const latents = new Int8Array(devices.length * length);
    for (const [device, { latent }] of encoded.entries()) latents.set(latent, device * length);
    const { map, ms } = this.decode.run({ index, latents, present: devices.map(() => true) });
    return {
      map,
      msEncode: encoded.map((reply) => reply.ms),
      msDecode: ms,
      ...(task.check && { trust: await this.#trust(task.check, map, latents, record) }),
      ...(task.variants && { variants: decodeVariants(this.decode.decoder, latents, index) }),
    };
  }

  async #trust(
    boundary: Boundary,
    map: Float32Array,
    latents: Int8Array,
    record: Float32Array,
  ): Promise<Trust & { readonly ms: number }> {
    if (this.#check?.boundary !== boundary) {
      this.#check?.dispose();
      this.#check = await PhysicsCheck.load({ encoder: this.encode.encoder, boundary });
    }
    const start = performance.now();
    const latentMisfit = this.#check.latentMisfit(map, latents);
    const dataMisfit = this.#check.dataMisfit(map, record);
    return { latentMisfit, dataMisfit, ms: performance.now() - start };
  }

  async #modellerFor(boundary: Boundary): Promise<ForwardModeller> {
    if (this.#modeller?.boundary !== boundary) {
      this.#modeller?.dispose();
      const geometry = lineSurvey(this.encode.encoder.config.geometry);
      // Half the time with OpenFWI's boundary; the records differ by 6e-6, scores in no digit shown.
      this.#modeller = await ForwardModeller.load({ boundary, geometry, region: "reached" });
    }
    return this.#modeller;
  }
}

function timed(run: () => unknown): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}
