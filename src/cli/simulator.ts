/** One record of a data set: makes or takes a map, models it, writes both into open files. */
import { writeSync } from "node:fs";
import { type FamilyName, velocityMap } from "../physics/families/index.ts";
import {
  type Boundary,
  ForwardModeller,
  type Region,
  type SurveyGeometry,
} from "../physics/index.ts";

/** What all tasks of one run share. */
export interface SimulateSetup {
  readonly boundary: Boundary;
  /** Default: as `ForwardOptions`. */
  readonly region?: Region;
  readonly survey: SurveyGeometry;
  /** Where maps come from when a task carries none. */
  readonly family?: FamilyName;
  readonly seed?: number;
}

/** One record. File descriptors are the process's own, so worker threads can write to them. */
export interface SimulateTask {
  /** Index of the map in its family, or in the file of maps. */
  readonly index: number;
  /** [rows][columns], m/s; the family's map `index` when absent. */
  readonly map?: Float32Array;
  readonly dataFile: number;
  readonly dataOffset: number;
  readonly modelFile: number;
  readonly modelOffset: number;
}

export class Simulator {
  readonly #setup: SimulateSetup;
  readonly #modeller: ForwardModeller;
  readonly #record: Float32Array;

  static async load(setup: SimulateSetup): Promise<Simulator> {
    const { boundary, survey: geometry, region } = setup;
    return new Simulator(
      setup,
      await ForwardModeller.load({ boundary, geometry, ...(region && { region }) }),
    );
  }

  private constructor(setup: SimulateSetup, modeller: ForwardModeller) {
    this.#setup = setup;
    this.#modeller = modeller;
    this.#record = new Float32Array(modeller.recordLength);
  }

  /** Throws RangeError for a map that cannot be modelled, and the system's error on writing. */
  run(task: SimulateTask): void {
    const map = task.map ?? this.#makeMap(task.index);
    try {
      this.#modeller.model(map, this.#record);
    } catch (error) {
      throw new RangeError(`map ${task.index}: ${(error as Error).message.replace(/^map: /, "")}`);
    }
    writeAll(task.dataFile, this.#record, task.dataOffset);
    writeAll(task.modelFile, map, task.modelOffset);
  }

  dispose(): void {
    this.#modeller.dispose();
  }

  #makeMap(index: number): Float32Array {
    const { family, seed, survey } = this.#setup;
    if (family === undefined || seed === undefined) {
      throw new TypeError("simulate: expected a map or a family with a seed, got neither");
    }
    return velocityMap(family, seed, index, [survey.rows, survey.columns]);
  }
}

function writeAll(file: number, values: Float32Array, offset: number): void {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, bytes.length - done, offset + done);
  }
}
