import { edgeModules } from "../engine/edgeModules.ts";
import type { EdgeExports, ModuleName } from "../engine/kernels.ts";
import { type OpenModule, openModule } from "../engine/openModule.ts";
import { selfTestIntegers } from "../engine/seeded.ts";
import { checkArray } from "../model/checkArray.ts";
import type { ModelConfig } from "../model/config.ts";
import { planEdge } from "../model/edgePlan.ts";
import { readLatentTables } from "../model/latentTables.ts";
import type { LoadOptions } from "../model/loadOptions.ts";
import { ModelFile } from "../model/modelFile.ts";
import { countOf, latentShape, traceShape } from "../model/shapes.ts";
import { shippedWeights } from "../model/shippedWeights.ts";
import { type Stage, stage } from "../model/step.ts";
import { LatentCoder } from "../protocol/entropy.ts";

/** Calls that bring V8's optimising tier to all kernels: 20 to 50 of a 64x64x64 product. */
const WARMUP_CALLS = 40;

/** What one call of `encode` is told. */
export interface EncodeOptions {
  /** Index of the device in `config.geometry.devices`. */
  readonly device: number;
  /** Where to write the latent; by default an array that the next call overwrites. */
  readonly out?: Int8Array;
}

/** What a live encoder holds in module memory. */
interface Running {
  readonly memory: WebAssembly.Memory;
  readonly traces: Float32Array;
  readonly latent: Int8Array;
  /** Index of the first trace value that is NaN or infinite, or -1. */
  readonly findNonFinite: () => number;
  readonly encoder: Stage;
}

/**
 * The end device's half of the network: turns the traces of one device's receivers into a latent of
 * about a kilobyte. All devices of a survey run the same weights.
 *
 *     const encoder = await EdgeEncoder.load();
 *     const latent = encoder.encode(traces, { device: 2 });
 */
export class EdgeEncoder {
  /** The survey and the network, as the weights file states them. */
  readonly config: ModelConfig;
  /** 16 hex digits; only a central half of the same model decodes this encoder's latents. */
  readonly modelId: string;
  readonly module: ModuleName;
  /** Why this module, in words. */
  readonly moduleReason: string;
  /** Entropy coder of this model's latents; absent when its file has no tables. */
  readonly coder: LatentCoder | undefined;
  /** Shots, samples, receivers of the largest device: the layout in module memory. */
  private readonly traceShape: readonly [number, number, number];
  /** Shots, samples, receivers of each device: what its traces must be. */
  private readonly deviceShapes: readonly (readonly number[])[];
  private readonly latentShape: readonly number[];
  private readonly result: Int8Array;
  private running: Running | undefined;

  private constructor(file: ModelFile, module: OpenModule<EdgeExports>) {
    this.config = file.config;
    this.modelId = file.modelId;
    this.module = module.name;
    this.moduleReason = module.reason;
    const tables = readLatentTables(file);
    this.coder = tables && new LatentCoder(file.modelId, tables);
    this.traceShape = traceShape(file.config);
    const { shots, samples, devices } = file.config.geometry;
    this.deviceShapes = devices.map(({ receivers }) => [shots, samples, receivers]);
    this.latentShape = latentShape(file.config);
    this.result = new Int8Array(countOf(this.latentShape));
    const plan = planEdge(module, file);
    // The plan has allocated all memory, so these views stay valid.
    const { arena, exports, memory } = module;
    const traceCount = countOf(this.traceShape);
    this.running = {
      memory,
      traces: arena.view(Float32Array, plan.traces, traceCount),
      findNonFinite: () => exports.find_nonfinite_f32(plan.traces, traceCount),
      latent: arena.view(Int8Array, plan.latent, countOf(this.latentShape)),
      encoder: stage("encoder", plan.steps),
    };
  }

  /**
   * Opens the module and builds the network; everything that is allocated is allocated here.
   * @throws WeightsError when the weights are not the edge half of a model
   * @throws RangeError when `module` is not supported here, `compiled` comes without `module`, or the
   *   latent tables are no tables
   */
  static async load(options: LoadOptions = {}): Promise<EdgeEncoder> {
    // At once: both may have a file to wait for.
    const [file, module] = await Promise.all([
      readHalf(options.weights),
      openModule(edgeModules, options),
    ]);
    const encoder = new EdgeEncoder(file, module);
    // The shipped ones: nobody else has them.
    if (options.weights === undefined) file.release();
    return encoder;
  }

  /**
   * Encodes one device's part of a record.
   * @param traces f32 [shots][samples][receivers of the device], finite; copied
   * @returns the latent, int8 [slots][channels], values -127..127
   * @throws TypeError or RangeError naming the argument, what was expected and what came
   */
  encode(traces: Float32Array, options: EncodeOptions): Int8Array {
    const running = this.inUse();
    const out = options.out ?? this.result;
    this.checkDevice(options.device);
    checkArray("out", out, Int8Array, this.latentShape);
    checkArray("traces", traces, Float32Array, this.deviceShapes[options.device]!);
    this.place(traces, options.device, running.traces);
    const bad = running.findNonFinite();
    if (bad >= 0) throw this.notFinite(bad, running.traces[bad]!);
    running.encoder.run();
    out.set(running.latent);
    return out;
  }

  /** Runs the network on silence and on noise until the engine has optimised its code. */
  warmup(): void {
    const { traces, encoder, findNonFinite } = this.inUse();
    traces.fill(0);
    encoder.run();
    const random = selfTestIntegers(1);
    for (let i = 0; i < traces.length; i++) traces[i] = random(-1000, 1000) / 500;
    for (let call = 1; call < WARMUP_CALLS; call++) {
      findNonFinite();
      encoder.run();
    }
  }

  /** The kernels, over what the last `encode` left in memory: for measuring. */
  get stages(): readonly Stage[] {
    return [this.inUse().encoder];
  }

  /** Bytes of the module's memory: weights, activations and tables. */
  get memoryBytes(): number {
    return this.running?.memory.buffer.byteLength ?? 0;
  }

  /** Lets go of the module and its memory; later calls throw. */
  dispose(): void {
    this.running = undefined;
  }

  private inUse(): Running {
    if (this.running === undefined) {
      throw new Error("EdgeEncoder: expected a loaded encoder, got one that was disposed");
    }
    return this.running;
  }

  /** Copies a device's traces; one with fewer receivers than the largest gets zeros behind them. */
  private place(traces: Float32Array, device: number, to: Float32Array): void {
    const width = this.traceShape[2];
    const { receivers } = this.config.geometry.devices[device]!;
    if (receivers === width) {
      to.set(traces);
      return;
    }
    to.fill(0);
    let from = 0;
    for (let row = 0; row < to.length; row += width) {
      for (let i = 0; i < receivers; i++) to[row + i] = traces[from++]!;
    }
  }

  private checkDevice(device: number): void {
    const last = this.config.geometry.devices.length - 1;
    if (!Number.isInteger(device) || device < 0 || device > last) {
      throw new RangeError(`device: expected an integer in 0..${last}, got ${device}`);
    }
  }

  private notFinite(index: number, value: number): RangeError {
    const [, samples, receivers] = this.traceShape;
    const receiver = index % receivers;
    const sample = Math.floor(index / receivers) % samples;
    const shot = Math.floor(index / (receivers * samples));
    return new RangeError(
      `traces: expected finite samples, got ${value} at shot ${shot} sample ${sample} receiver ${receiver}`,
    );
  }
}

async function readHalf(weights?: Uint8Array): Promise<ModelFile> {
  const bytes = weights === undefined ? await shippedWeights("edge", elsewhere) : weights;
  return ModelFile.read(bytes, "edge");
}

async function elsewhere(): Promise<Uint8Array> {
  const { loadEdgeWeights } = await import("#edge-weights");
  return loadEdgeWeights();
}
