/** A survey over any broker: real devices and central processes, and what became of its records. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeNpy } from "../../src/io/npy.ts";
import { type Ended, type Running, requireBuild, start } from "../cli/processes.ts";
import { scratch } from "../edge/smallSurvey.ts";
import { SMALL, type TinyModel, tinyModel, tinyTraces } from "../library/tinyModel.ts";

export const SURVEY = "line";
export const SLOW_MS = 600_000;

export class Survey {
  readonly folder: string;
  readonly #model: TinyModel;
  readonly #dispose: () => Promise<void>;
  readonly #running: Running[] = [];

  static async create(): Promise<Survey> {
    requireBuild();
    const { path, dispose } = await scratch();
    const survey = new Survey(path, tinyModel(SMALL, 1), dispose);
    await mkdir(survey.at("model"));
    for (const half of ["edge", "central"] as const) {
      await writeFile(survey.at("model", `${half}.safetensors`), survey.#model[half]);
    }
    return survey;
  }

  private constructor(folder: string, model: TinyModel, dispose: () => Promise<void>) {
    this.folder = folder;
    this.#model = model;
    this.#dispose = dispose;
  }

  /** Kills what still runs, and removes the folder. */
  async dispose(): Promise<void> {
    for (const { child, ended } of this.#running.splice(0)) {
      child.kill("SIGKILL");
      await ended;
    }
    await this.#dispose();
  }

  get devices(): number {
    return this.#model.config.geometry.devices.length;
  }

  at(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** A central process; its records wait for all their devices, however long that takes. */
  central(urls: readonly string[], shards: string, more: readonly string[] = []): Running {
    const out = ["--out", this.at(`results-${shards[0]}`), "--deadline", "3600000"];
    const own = ["--shards", shards, "--no-pictures", ...out, ...more];
    return this.#keep(start(["central", ...this.#common(urls), ...own]));
  }

  /** One that serves its shards already: its status says so. */
  async serving(
    urls: readonly string[],
    shards: string,
    more?: readonly string[],
  ): Promise<Running> {
    const process = this.central(urls, shards, more);
    await until(
      () => process.stderr().includes('"msg":"started"') || process.child.exitCode !== null,
    );
    if (process.child.exitCode !== null) throw new Error((await process.ended).stderr);
    return process;
  }

  /** A device with `records` records to send; it ends when all are acknowledged. */
  async edge(
    urls: readonly string[],
    device: number,
    records: number,
    more: readonly string[] = [],
  ): Promise<Running> {
    const source = this.at(`source-${device}`);
    await mkdir(source, { recursive: true });
    const { config } = this.#model;
    const { receivers } = config.geometry.devices[device]!;
    const shape = [config.geometry.shots, config.geometry.samples, receivers];
    for (let record = 1; record <= records; record++) {
      const npy = encodeNpy(shape, tinyTraces(config, record * 10 + device));
      await writeFile(join(source, `${record}.npy`), npy);
    }
    const places = ["--source", source, "--outbox", this.at(`outbox-${device}`)];
    const own = ["--device", `${device}`, "--once", "--json", ...places, ...more];
    return this.#keep(start(["edge", ...this.#common(urls), ...own]));
  }

  /** How often each record was committed, by the central processes' own words. */
  commits(...processes: Running[]): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { stderr } of processes) {
      for (const [, record] of stderr().matchAll(/"record":"(\d+)".*"msg":"record committed"/g)) {
        counts.set(record!, (counts.get(record!) ?? 0) + 1);
      }
    }
    return counts;
  }

  /** Records of one result folder with their devices. */
  async results(shard: number): Promise<Map<string, number[]>> {
    const folder = this.at(`results-${shard}`);
    const results = new Map<string, number[]>();
    for (const name of await readdir(folder)) {
      if (!/^\d+$/.test(name)) continue;
      const document = JSON.parse(await readFile(join(folder, name, "record.json"), "utf8"));
      results.set(name, document.devicesPresent);
    }
    return results;
  }

  #common(urls: readonly string[]): string[] {
    return ["--broker", urls.join(","), "--survey", SURVEY, "--model", this.at("model")];
  }

  #keep(process: Running): Running {
    this.#running.push(process);
    return process;
  }
}

/** Waits for a condition, for as long as a loaded machine may take. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + SLOW_MS;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${SLOW_MS} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export function report(edge: Ended): { acknowledged: number; waiting: number } {
  if (edge.code !== 0) throw new Error(edge.stderr);
  return JSON.parse(edge.stdout);
}
