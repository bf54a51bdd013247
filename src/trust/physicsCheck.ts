import type { EdgeEncoder } from "../edge/encoder.ts";
import { selectReceivers } from "../edge/receivers.ts";
import { findNonFinite } from "../engine/finite.ts";
import { MisfitSum } from "../metrics/index.ts";
import { checkArray } from "../model/checkArray.ts";
import type { ModelConfig } from "../model/config.ts";
import { countOf, latentShape, latentsShape } from "../model/shapes.ts";
import {
  type Boundary,
  ForwardModeller,
  lineSurvey,
  type PhysicsModuleName,
  type SurveyGeometry,
} from "../physics/index.ts";

/** What a physics check works with. */
export interface PhysicsCheckOptions {
  /** The encoder that the devices run; the caller keeps it and may go on using it. */
  readonly encoder: EdgeEncoder;
  /**
   * How the predicted map is modelled: as the records were, for latents feel the difference
   * (docs/trust.md). Default "fast", the more accurate one and a fifth of the time of "openfwi".
   */
  readonly boundary?: Boundary;
  /** The survey to model; default the `lineSurvey` of the encoder's model. */
  readonly geometry?: SurveyGeometry;
  /** Build of physics.wasm. Default "simd". */
  readonly module?: PhysicsModuleName;
}

/** What one check may be told. */
export interface CheckOptions {
  /** Which devices' data to compare, one flag per device, at least one set. Default: all. */
  readonly present?: readonly boolean[];
}

/**
 * How far to trust a predicted map when nobody knows the true one: the map's own records are
 * modelled and compared with what was received. Both figures are relative L2 norms: 0 when the map
 * explains the data, about 1 when it explains nothing.
 *
 *     const check = await PhysicsCheck.load({ encoder: await EdgeEncoder.load() });
 *     const misfit = check.latentMisfit(decoder.decode(latents, { present }), latents, { present });
 *
 * The true map gives 0 when its records were modelled with the same boundary, and otherwise what the
 * boundaries differ by: little in records, much in latents (docs/trust.md). The last map's records are kept, so asking for both figures
 * costs one forward modelling.
 */
export class PhysicsCheck {
  readonly boundary: Boundary;
  readonly #encoder: EdgeEncoder;
  readonly #modeller: ForwardModeller;
  /** The map that `#record` belongs to; empty before the first. */
  #map = new Float32Array();
  readonly #record: Float32Array;
  /** One device's traces, modelled and observed. */
  readonly #modelled: readonly Float32Array[];
  readonly #observed: readonly Float32Array[];
  readonly #latent: Int8Array;
  readonly #allPresent: readonly boolean[];

  /** @throws RangeError when `geometry` is not the survey of the encoder's model */
  static async load(options: PhysicsCheckOptions): Promise<PhysicsCheck> {
    const geometry = options.geometry ?? lineSurvey(options.encoder.config.geometry);
    checkGeometry(geometry, options.encoder.config);
    const boundary = options.boundary ?? "fast";
    const modeller = await ForwardModeller.load({
      geometry,
      boundary,
      region: "reached", // misfits of 0.01 and more do not feel its 6e-6
      ...(options.module && { module: options.module }),
    });
    return new PhysicsCheck(options.encoder, modeller);
  }

  private constructor(encoder: EdgeEncoder, modeller: ForwardModeller) {
    const { config } = encoder;
    const { shots, samples, devices } = config.geometry;
    this.boundary = modeller.boundary;
    this.#encoder = encoder;
    this.#modeller = modeller;
    this.#record = new Float32Array(modeller.recordLength);
    const traces = () =>
      devices.map(({ receivers }) => new Float32Array(shots * samples * receivers));
    this.#modelled = traces();
    this.#observed = traces();
    this.#latent = new Int8Array(countOf(latentShape(config)));
    this.#allPresent = devices.map(() => true);
  }

  /**
   * The map's latents against the received ones: what a central node can ask.
   * @param map [rows][columns], m/s
   * @param latents int8 [devices][slots][channels]; rows of absent devices are ignored
   * @throws TypeError or RangeError naming the argument, what was expected and what came
   */
  latentMisfit(map: Float32Array, latents: Int8Array, options: CheckOptions = {}): number {
    checkArray("latents", latents, Int8Array, latentsShape(this.#encoder.config));
    const present = this.#checkPresent(options.present);
    this.#model(map);
    const sum = new MisfitSum();
    const length = this.#latent.length;
    for (const device of present) {
      this.#encoder.encode(this.#modelled[device]!, { device, out: this.#latent });
      sum.add(this.#latent, latents.subarray(device * length, (device + 1) * length));
    }
    return sum.value;
  }

  /**
   * The map's records against the observed ones: what a place can ask that has the raw data. The last
   * sample of every trace is left out: released OpenFWI records hold something else there.
   * @param map [rows][columns], m/s
   * @param record f32 [shots][samples][receivers], finite; receivers of absent devices are ignored
   * @throws TypeError or RangeError naming the argument, what was expected and what came
   */
  dataMisfit(map: Float32Array, record: Float32Array, options: CheckOptions = {}): number {
    const { shots, samples, receivers, devices } = this.#encoder.config.geometry;
    checkArray("record", record, Float32Array, [shots, samples, receivers]);
    const present = this.#checkPresent(options.present);
    this.#model(map);
    const sum = new MisfitSum();
    for (const device of present) {
      const block = devices[device]!;
      const observed = selectReceivers(record, receivers, block, this.#observed[device]!);
      if (findNonFinite(observed) >= 0) {
        throw new RangeError("record: expected finite samples, got NaN or infinity");
      }
      for (let shot = 0; shot < shots; shot++) {
        const start = shot * samples * block.receivers;
        const end = start + Math.max(1, samples - 1) * block.receivers;
        sum.add(this.#modelled[device]!.subarray(start, end), observed.subarray(start, end));
      }
    }
    return sum.value;
  }

  /** Gives the modeller's memory back; the encoder stays with its owner. Later calls throw. */
  dispose(): void {
    this.#map = new Float32Array();
    this.#modeller.dispose();
  }

  /** Fills `#modelled` with the records of `map`. */
  #model(map: Float32Array): void {
    if (sameValues(map, this.#map)) return;
    this.#map = new Float32Array();
    this.#modeller.model(map, this.#record);
    const { receivers, devices } = this.#encoder.config.geometry;
    devices.forEach((block, device) => {
      selectReceivers(this.#record, receivers, block, this.#modelled[device]!);
    });
    this.#map = map.slice();
  }

  /** Indices of the devices to compare. */
  #checkPresent(present: readonly boolean[] = this.#allPresent): number[] {
    const devices = this.#allPresent.length;
    if (present.length !== devices) {
      throw new RangeError(`present: expected ${devices} flags, got ${present.length}`);
    }
    const chosen = present.flatMap((flag, device) => (flag ? [device] : []));
    if (chosen.length === 0)
      throw new RangeError("present: expected at least one device, got none");
    return chosen;
  }
}

function checkGeometry(survey: SurveyGeometry, { geometry }: ModelConfig): void {
  const pairs: readonly (readonly [string, number, number])[] = [
    ["rows", survey.rows, geometry.map[0]],
    ["columns", survey.columns, geometry.map[1]],
    ["spacingM", survey.spacingM, geometry.dxM],
    ["sampleS", survey.sampleS, geometry.dtMs / 1000],
    ["samples", survey.samples, geometry.samples],
    ["sources", survey.sources.length, geometry.shots],
    ["receivers", survey.receivers.length, geometry.receivers],
  ];
  for (const [field, got, expected] of pairs) {
    if (Math.abs(got - expected) > 1e-9 * expected) {
      throw new RangeError(
        `geometry ${field}: expected ${expected} as the model has it, got ${got}`,
      );
    }
  }
}

function sameValues(a: Float32Array, b: Float32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
