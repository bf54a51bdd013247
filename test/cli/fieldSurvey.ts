/** One survey with a real broker and real processes: what the tests of the field commands share. */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeNpy } from "../../src/io/npy.ts";
import { Broker } from "../../src/transport/index.ts";
import { scratch } from "../edge/smallSurvey.ts";
import { tinyTraces } from "../library/tinyModel.ts";
import { type Running, requireBuild, start } from "./processes.ts";
import { writeSurveyModel } from "./surveyModel.ts";

export class FieldSurvey {
  readonly broker: Broker;
  readonly #folder: Awaited<ReturnType<typeof scratch>>;
  readonly #traces: Float32Array;
  readonly #running: Running[] = [];

  static async open(): Promise<FieldSurvey> {
    requireBuild();
    const folder = await scratch();
    const model = await writeSurveyModel(join(folder.path, "model"), 1);
    const broker = await Broker.start({ port: 0 });
    return new FieldSurvey(folder, broker, tinyTraces(model.config, 7));
  }

  private constructor(
    folder: Awaited<ReturnType<typeof scratch>>,
    broker: Broker,
    traces: Float32Array,
  ) {
    this.#folder = folder;
    this.broker = broker;
    this.#traces = traces;
  }

  /** Kills what still runs and removes all files. */
  async close(): Promise<void> {
    for (const { child, ended } of this.#running.splice(0)) {
      child.kill("SIGKILL");
      await ended;
    }
    await this.broker.close();
    await this.#folder.dispose();
  }

  /** A path in the survey's scratch folder. */
  at(...names: string[]): string {
    return join(this.#folder.path, ...names);
  }

  /** Options that every process of a survey takes. */
  common(survey = "line"): string[] {
    return ["--broker", this.broker.url, "--survey", survey, "--model", this.at("model")];
  }

  /** Options of a device's folders. */
  places(device: number): string[] {
    return ["--source", this.at(`source-${device}`), "--outbox", this.at(`outbox-${device}`)];
  }

  edge(device: number, more: readonly string[] = []): Running {
    const own = ["--device", `${device}`, ...this.places(device)];
    return this.#keep(start(["edge", ...this.common(), ...own, ...more]));
  }

  /** A central process whose results go to the folder `out`. */
  central(more: readonly string[] = [], out = "results"): Running {
    return this.#keep(start(["central", ...this.common(), "--out", this.at(out), ...more]));
  }

  /** Puts records into a device's source. */
  async writeRecords(device: number, records: readonly number[]): Promise<void> {
    const source = this.at(`source-${device}`);
    await mkdir(source, { recursive: true });
    for (const record of records) {
      await writeFile(join(source, `${record}.npy`), encodeNpy([5, 1000, 14], this.#traces));
    }
  }

  /** Records that are committed; a result at work is a hidden folder, which does not count. */
  async committed(out = "results"): Promise<string[]> {
    const names: string[] = await readdir(this.at(out)).catch(() => []);
    return names.filter((name) => /^\d+$/.test(name)).sort();
  }

  #keep(process: Running): Running {
    this.#running.push(process);
    return process;
  }
}
