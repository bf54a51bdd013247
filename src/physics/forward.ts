import type { Boundary } from "./boundary.ts";
import { AcousticGrid } from "./grid.ts";
import { loadPhysicsModule, type PhysicsModule, type PhysicsModuleName } from "./module.ts";
import { ReachedWindows } from "./reach.ts";
import { ricker } from "./ricker.ts";
import { checkSurvey, OPENFWI_SURVEY, type SurveyGeometry } from "./survey.ts";

/** What `ForwardModeller.load` may be told. */
export interface ForwardOptions {
  /** Which build of physics.wasm; both give the same bits. Default "simd". */
  readonly module?: PhysicsModuleName;
  /** Default `OPENFWI_SURVEY`. */
  readonly geometry?: SurveyGeometry;
  /** Default "openfwi". */
  readonly boundary?: Boundary;
  /**
   * Which cells each step computes. "all": the whole padded grid, the scheme to the letter. "reached":
   * those that the wave has reached and that a receiver can still hear, a quarter less with "fast",
   * three fifths less with "openfwi"; records differ by rounding. Default "reached" with "fast",
   * "all" with "openfwi".
   */
  readonly region?: Region;
}

/** All cells, or those that the wave has reached and a receiver can still hear. */
export type Region = "all" | "reached";

/** Greatest stable v dt / dx of the scheme in two dimensions: sqrt(3 / 8). */
const COURANT_MAX = 0.6123724356957945;

/**
 * Acoustic forward modelling: a velocity map in, the record of every shot out. Constant density,
 * second order in time, fourth in space, all four sides absorbing as `Boundary` says.
 */
export class ForwardModeller {
  readonly geometry: SurveyGeometry;
  readonly boundary: Boundary;
  readonly region: Region;

  readonly #grid: AcousticGrid;
  readonly #pulse: Float64Array;
  readonly #pulseAt: number;
  readonly #receiversAt: number;
  readonly #recordAt: number;
  readonly #windowsAt: number;
  readonly #reach: ReachedWindows | undefined;
  #windows: Uint32Array;
  #cellUpdates = 0;
  #module: PhysicsModule | undefined;
  #bytes: Uint8Array;
  #cells: Float32Array;

  /** Throws RangeError for a geometry that cannot be modelled. */
  static async load(options: ForwardOptions = {}): Promise<ForwardModeller> {
    const geometry = options.geometry ?? OPENFWI_SURVEY;
    checkSurvey(geometry);
    const module = await loadPhysicsModule(options.module ?? "simd");
    const boundary = options.boundary ?? "openfwi";
    const region = options.region ?? (boundary === "fast" ? "reached" : "all");
    return new ForwardModeller(module, geometry, boundary, region);
  }

  private constructor(
    module: PhysicsModule,
    geometry: SurveyGeometry,
    boundary: Boundary,
    region: Region,
  ) {
    this.#module = module;
    this.geometry = geometry;
    this.boundary = boundary;
    this.region = region;
    this.#reach = region === "reached" ? new ReachedWindows(geometry, boundary) : undefined;
    this.#pulse = ricker(geometry.peakHz, geometry.sampleS).subarray(0, geometry.samples);
    this.#grid = new AcousticGrid(geometry, boundary, module.exports.heap_base());
    this.#pulseAt = this.#grid.end;
    this.#receiversAt = this.#pulseAt + 4 * this.#pulse.length;
    this.#recordAt = this.#receiversAt + 4 * geometry.receivers.length;
    this.#windowsAt = this.#recordAt + 4 * this.#shotLength;
    const windowWords = 4 * (this.#reach?.count ?? 0);
    reserve(module.memory, this.#windowsAt + 4 * windowWords);
    this.#windows = new Uint32Array(module.memory.buffer, this.#windowsAt, windowWords);
    this.#bytes = new Uint8Array(module.memory.buffer);
    this.#cells = new Float32Array(module.memory.buffer);
    this.#grid.writeStruct(module.memory.buffer);
    const offsets = geometry.receivers.map(({ row, column }) => this.#grid.cellOffset(row, column));
    new Uint32Array(module.memory.buffer).set(offsets, this.#receiversAt / 4);
  }

  /** Bytes of linear memory held. */
  get memoryBytes(): number {
    return this.#module?.memory.buffer.byteLength ?? 0;
  }

  /** Elements of one record. */
  get recordLength(): number {
    return this.#shotLength * this.geometry.sources.length;
  }

  /** Cells times steps times shots that the last `model` call computed. */
  get cellUpdates(): number {
    return this.#cellUpdates;
  }

  get #shotLength(): number {
    return this.geometry.samples * this.geometry.receivers.length;
  }

  /**
   * Models all shots over one map.
   * map  [rows][columns], m/s, row = depth
   * out  [sources][samples][receivers], written whole; a new array by default
   * Throws RangeError for a wrong length, for a velocity that is not finite and positive, and for
   * one that the time step cannot follow.
   */
  model(map: Float32Array, out: Float32Array = new Float32Array(this.recordLength)): Float32Array {
    const { slowest, fastest } = this.#checkMap(map);
    if (out.length !== this.recordLength) {
      throw new RangeError(`out: expected ${this.recordLength} values, got ${out.length}`);
    }
    this.#grid.setMap(map, slowest, fastest, this.#cells);
    this.#reach?.setMap(map);
    this.#cellUpdates = 0;
    for (let shot = 0; shot < this.geometry.sources.length; shot++) {
      this.#cellUpdates += this.#setWindows(shot);
      this.#advance(
        this.#startShot(map, shot),
        0,
        this.geometry.samples,
        this.#reach !== undefined,
      );
      out.set(this.#record(), shot * this.#shotLength);
    }
    return out;
  }

  /**
   * Models one shot on the whole grid and stops on the way to show the wavefield.
   * map         as for `model`
   * shot        index in `geometry.sources`
   * everySteps  time steps from one picture to the next
   * visit       gets the pressure over the map, f32 [rows][columns], the visitor's until it returns,
   *             and the steps done: everySteps, 2 everySteps, ... up to `geometry.samples`
   * Returns the shot's traces, f32 [samples][receivers], a new array: the bits that `model` gives with
   * region "all", and but for rounding those of "reached".
   * Throws RangeError as `model` does, and for a shot or a distance that is out of range.
   */
  film(
    map: Float32Array,
    shot: number,
    everySteps: number,
    visit: (pressure: Float32Array, steps: number) => void,
  ): Float32Array {
    const { samples, sources } = this.geometry;
    const { slowest, fastest } = this.#checkMap(map);
    checkInteger("shot", shot, 0, sources.length - 1);
    checkInteger("everySteps", everySteps, 1, samples);
    this.#grid.setMap(map, slowest, fastest, this.#cells);
    if (this.#module) this.#grid.writeStruct(this.#module.memory.buffer); // the whole window again
    const source = this.#startShot(map, shot);
    const pressure = new Float32Array(map.length);
    for (let done = 0; done < samples; ) {
      const steps = Math.min(everySteps, samples - done);
      this.#advance(source, done, steps, false);
      done += steps;
      if (steps === everySteps) visit(this.#copyPressure(pressure), done);
    }
    return this.#record().slice();
  }

  /** Gives the module's memory back; `model` and `film` throw afterwards. */
  dispose(): void {
    this.#module = undefined;
    this.#bytes = new Uint8Array();
    this.#cells = new Float32Array();
    this.#windows = new Uint32Array();
  }

  /** Writes the shot's windows, if it has any; returns the cells of all its steps. */
  #setWindows(shot: number): number {
    const { samples, sources } = this.geometry;
    return this.#reach?.write(sources[shot]!, this.#windows) ?? this.#grid.cells * samples;
  }

  /** Puts the grid at rest and scales the pulse for the source's cell; returns the cell's offset. */
  #startShot(map: Float32Array, shot: number): number {
    const { columns, sampleS, sources } = this.geometry;
    const { row, column } = sources[shot]!;
    const courant = (map[row * columns + column] ?? 0) * sampleS;
    const gain = courant * courant;
    const pulse = this.#pulseAt / 4;
    for (let i = 0; i < this.#pulse.length; i++) {
      this.#cells[pulse + i] = gain * (this.#pulse[i] ?? 0);
    }
    this.#grid.clear(this.#bytes);
    return this.#grid.cellOffset(row, column);
  }

  /** Runs `steps` time steps of the shot from step `done` on and records them. */
  #advance(source: number, done: number, steps: number, windowed: boolean): void {
    const { receivers } = this.geometry;
    this.#module?.exports.acoustic2d_shot(
      this.#grid.pointer,
      source,
      this.#pulseAt + 4 * done,
      Math.max(0, this.#pulse.length - done),
      this.#receiversAt,
      receivers.length,
      this.#recordAt + 4 * done * receivers.length,
      steps,
      windowed ? this.#windowsAt : 0,
    );
  }

  /** The shot's traces in module memory. */
  #record(): Float32Array {
    const first = this.#recordAt / 4;
    return this.#cells.subarray(first, first + this.#shotLength);
  }

  #copyPressure(out: Float32Array): Float32Array {
    const { rows, columns } = this.geometry;
    for (let row = 0; row < rows; row++) {
      const first = this.#grid.cellIndex(row, 0);
      out.set(this.#cells.subarray(first, first + columns), row * columns);
    }
    return out;
  }

  #checkMap(map: Float32Array): { slowest: number; fastest: number } {
    if (!this.#module) throw new Error("model: expected a loaded modeller, got a disposed one");
    const { rows, columns, sampleS, spacingM } = this.geometry;
    if (map.length !== rows * columns) {
      throw new RangeError(`map: expected ${rows * columns} velocities, got ${map.length}`);
    }
    let slowest = Number.POSITIVE_INFINITY;
    let fastest = 0;
    for (let i = 0; i < map.length; i++) {
      const velocity = map[i] ?? Number.NaN;
      if (!(velocity > 0 && velocity < Number.POSITIVE_INFINITY)) {
        throw new RangeError(
          `map: expected finite positive velocities in m/s, got ${velocity} ` +
            `at row ${Math.floor(i / columns)}, column ${i % columns}`,
        );
      }
      slowest = Math.min(slowest, velocity);
      fastest = Math.max(fastest, velocity);
    }
    if (fastest * sampleS > COURANT_MAX * spacingM) {
      const limit = (COURANT_MAX * spacingM) / sampleS;
      throw new RangeError(
        `map: expected velocities up to ${limit.toFixed(0)} m/s for cells of ${spacingM} m and ` +
          `steps of ${sampleS} s, got ${fastest}`,
      );
    }
    return { slowest, fastest };
  }
}

function checkInteger(name: string, value: number, low: number, high: number): void {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new RangeError(`${name}: expected an integer ${low}..${high}, got ${value}`);
  }
}

function reserve(memory: WebAssembly.Memory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65536));
}
