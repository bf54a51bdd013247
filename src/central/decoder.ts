import { centralModules } from "../engine/centralModules.ts";
import type { CentralExports, ModuleName } from "../engine/kernels.ts";
import { type OpenModule, openModule } from "../engine/openModule.ts";
import { selfTestIntegers } from "../engine/seeded.ts";
import { planCentral } from "../model/centralPlan.ts";
import { checkArray } from "../model/checkArray.ts";
import type { ModelConfig } from "../model/config.ts";
import { readLatentTables } from "../model/latentTables.ts";
import type { LoadOptions } from "../model/loadOptions.ts";
import { ModelFile } from "../model/modelFile.ts";
import { countOf, latentShape, latentsShape } from "../model/shapes.ts";
import { shippedWeights } from "../model/shippedWeights.ts";
import { type Stage, stage } from "../model/step.ts";
import { LatentCoder } from "../protocol/entropy.ts";

/** Calls that bring V8's optimising tier to all kernels: 20 to 50 of a 64x64x64 product. */
const WARMUP_CALLS = 30;

/** What one call of `decode` may be told. */
export interface DecodeOptions {
  /** Which devices' latents have arrived, one flag per device, at least one set. Default: all. */
  readonly present?: readonly boolean[];
  /** Where to write the map; by default an array that the next call overwrites. */
  readonly out?: Float32Array;
}

/** What a live decoder holds in module memory. */
interface Running {
  readonly memory: WebAssembly.Memory;
  readonly latents: Int8Array;
  readonly presentDevices: Uint16Array;
  /** For i + 1 present devices. */
  readonly central: readonly Stage[];
  readonly decoder: Stage;
  readonly map: Float32Array;
}

/**
 * The central node's half of the network: joins the latents of the devices that are present and
 * turns them into a velocity map. A device that is absent is left out, not filled with zeros.
 *
 *     const decoder = await CentralDecoder.load();
 *     const map = decoder.decode(latents, { present: [true, true, false, true, true] });
 */
export class CentralDecoder {
  /** The survey and the network, as the weights file states them. */
  readonly config: ModelConfig;
  /** That of the edge half it was trained with, 16 hex digits: decode no other model's latents. */
  readonly modelId: string;
  readonly module: ModuleName;
  /** Why this module, in words. */
  readonly moduleReason: string;
  /** Entropy coder of this model's latents; absent when its file has no tables. */
  readonly coder: LatentCoder | undefined;
  private readonly latentsShape: readonly number[];
  private readonly latentCount: number;
  private readonly result: Float32Array;
  private readonly allPresent: readonly boolean[];
  private running: Running | undefined;

  private constructor(file: ModelFile, module: OpenModule<CentralExports>) {
    const { geometry } = file.config;
    this.config = file.config;
    this.modelId = file.modelId;
    this.module = module.name;
    this.moduleReason = module.reason;
    const tables = readLatentTables(file);
    this.coder = tables && new LatentCoder(file.modelId, tables);
    this.latentsShape = latentsShape(file.config);
    this.latentCount = countOf(latentShape(file.config));
    this.result = new Float32Array(countOf(geometry.map));
    this.allPresent = geometry.devices.map(() => true);
    const plan = planCentral(module, file);
    // The plan has allocated all memory, so these views stay valid.
    const { arena, memory } = module;
    this.running = {
      memory,
      latents: arena.view(Int8Array, plan.latents, countOf(this.latentsShape)),
      presentDevices: plan.presentDevices,
      central: plan.central.map((steps) => stage("central", steps)),
      decoder: stage("decoder", plan.decoder),
      map: arena.view(Float32Array, plan.map, this.result.length),
    };
  }

  /**
   * Opens the module and builds the network; everything that is allocated is allocated here.
   * @throws WeightsError when the weights are not the central half of a model
   * @throws RangeError when `module` is not supported here, `compiled` comes without `module`, or the
   *   latent tables are no tables
   */
  static async load(options: LoadOptions = {}): Promise<CentralDecoder> {
    // At once: both may have a file to wait for.
    const [file, module] = await Promise.all([
      readHalf(options.weights),
      openModule(centralModules, options),
    ]);
    const decoder = new CentralDecoder(file, module);
    // The shipped ones: nobody else has them.
    if (options.weights === undefined) file.release();
    return decoder;
  }

  /**
   * Decodes one record.
   * @param latents int8 [devices][slots][channels] in device order; rows of absent devices are
   *   ignored; copied
   * @returns the velocity map, f32 [rows][columns], m/s
   * @throws TypeError or RangeError naming the argument, what was expected and what came
   */
  decode(latents: Int8Array, options?: DecodeOptions): Float32Array {
    const running = this.inUse();
    const out = options?.out ?? this.result;
    const present = options?.present ?? this.allPresent;
    checkArray("out", out, Float32Array, this.config.geometry.map);
    checkArray("latents", latents, Int8Array, this.latentsShape);
    const count = this.countPresent(present);
    this.compact(running, latents, present);
    running.central[count - 1]!.run();
    running.decoder.run();
    out.set(running.map);
    return out;
  }

  /** Runs the network on silence and on noise until the engine has optimised its code. */
  warmup(): void {
    const { latents, presentDevices, central, decoder } = this.inUse();
    const random = selfTestIntegers(1);
    latents.fill(0);
    presentDevices.forEach((_, device) => {
      presentDevices[device] = device;
    });
    for (let call = 0; call < WARMUP_CALLS; call++) {
      central.at(-1)!.run();
      decoder.run();
      for (let i = 0; call === 0 && i < latents.length; i++) latents[i] = random(-127, 127);
    }
  }

  /** The kernels with all devices present, over what stands in memory: for measuring. */
  get stages(): readonly Stage[] {
    const { central, decoder } = this.inUse();
    return [central.at(-1)!, decoder];
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
      throw new Error("CentralDecoder: expected a loaded decoder, got one that was disposed");
    }
    return this.running;
  }

  private countPresent(present: readonly boolean[]): number {
    const devices = this.allPresent.length;
    if (present.length !== devices) {
      throw new RangeError(`present: expected ${devices} flags, got ${present.length}`);
    }
    let count = 0;
    for (let device = 0; device < devices; device++) {
      const flag = present[device];
      if (flag !== true && flag !== false) {
        throw new TypeError(`present: expected booleans, got ${flag} for device ${device}`);
      }
      if (flag) count++;
    }
    if (count === 0) throw new RangeError("present: expected at least one device, got none");
    return count;
  }

  /** Copies the present latents one after another. `subarray` would allocate. */
  private compact(running: Running, latents: Int8Array, present: readonly boolean[]): void {
    const { latentCount } = this;
    running.latents.set(latents);
    let row = 0;
    for (let device = 0; device < present.length; device++) {
      if (!present[device]) continue;
      if (row < device) {
        const from = device * latentCount;
        running.latents.copyWithin(row * latentCount, from, from + latentCount);
      }
      running.presentDevices[row++] = device;
    }
  }
}

async function readHalf(weights?: Uint8Array): Promise<ModelFile> {
  const bytes = weights === undefined ? await shippedWeights("central", elsewhere) : weights;
  return ModelFile.read(bytes, "central");
}

async function elsewhere(): Promise<Uint8Array> {
  const { loadCentralWeights } = await import("#central-weights");
  return loadCentralWeights();
}
