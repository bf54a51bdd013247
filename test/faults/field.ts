/** A whole survey of real processes, and the account of what became of every record. */
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { CentralDecoder } from "../../src/central/decoder.ts";
import { gapReport } from "../../src/central/gapReport.ts";
import { readDocument } from "../../src/central/store.ts";
import { EdgeEncoder } from "../../src/edge/encoder.ts";
import { encodeNpy, readNpy } from "../../src/io/npy.ts";
import { decodeFrame, frameLength } from "../../src/protocol/index.ts";
import { requireBuild } from "../cli/processes.ts";
import { scratch } from "../edge/smallSurvey.ts";
import { SMALL, type TinyModel, tinyModel, tinyTraces } from "../library/tinyModel.ts";
import { newSeed, type Random, randomOf, sleep } from "./random.ts";
import { Relay } from "./relay.ts";
import { Service } from "./service.ts";

export const RECORDS = Number(process.env.EPIC_FAULT_RECORDS ?? 50);
/** 0.1 shortens outages to a tenth; 1 gives them in full. */
export const OUTAGE_SCALE = Number(process.env.EPIC_FAULT_SCALE ?? 0.1);
const SURVEY = "faults";
const ACK_TIMEOUT_MS = 1000;
/** Longer than any test: records wait for all their devices, so each is to be committed once. */
const FOREVER_MS = 3_600_000;

export interface FieldOptions {
  /** For the central process; see FOREVER_MS. */
  deadlineMs?: number;
  /** More options of the central process and of all devices. */
  centralArgs?: readonly string[];
  edgeArgs?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Where the devices run, if not on this host: the broker's address from there, and the way in. */
  elsewhere?: { readonly brokerHost: string; readonly command: readonly string[] };
}

/** What became of the records of a run. */
export interface Account {
  readonly records: number;
  readonly complete: number;
  /** Frames neither in a result nor named by a gap. */
  readonly lost: number;
  /** Commits that repeat what an earlier one had. */
  readonly doubled: number;
  /** Frames that are not there and have a reason. */
  readonly named: number;
  readonly reasons: readonly string[];
}

export class Field {
  readonly name: string;
  readonly seed: number;
  readonly random: Random;
  readonly folder: string;
  readonly model: TinyModel;
  readonly relay: Relay;
  readonly broker: Service;
  readonly central: Service;
  readonly edges: Service[] = [];
  readonly out: string;
  /** Devices of each commit that the central process has logged, by record. */
  readonly commits = new Map<string, number[][]>();
  /** Records to account for: 1 to this. */
  records = RECORDS;
  readonly #options: FieldOptions;
  readonly #dispose: () => Promise<void>;

  static async create(name: string, options: FieldOptions = {}): Promise<Field> {
    requireBuild();
    const { path, dispose } = await scratch();
    const model = tinyModel(SMALL, 1);
    await writeModel(join(path, "model"), model);
    await writeModel(join(path, "other"), tinyModel(SMALL, 2));
    const seed = newSeed();
    console.log(`${name}: EPIC_FAULT_SEED=${seed}, ${RECORDS} records`);
    const host = options.elsewhere?.brokerHost;
    const relay = await Relay.start(0, randomOf(seed + 1), host);
    return new Field(name, seed, path, model, relay, options, dispose);
  }

  private constructor(
    name: string,
    seed: number,
    folder: string,
    model: TinyModel,
    relay: Relay,
    options: FieldOptions,
    dispose: () => Promise<void>,
  ) {
    this.name = name;
    this.seed = seed;
    this.random = randomOf(seed);
    this.folder = folder;
    this.model = model;
    this.relay = relay;
    this.out = join(folder, "results");
    this.#options = options;
    this.#dispose = dispose;
    const { env, deadlineMs = FOREVER_MS, centralArgs = [] } = options;
    this.broker = new Service("broker", [], env);
    this.central = new Service("central", [], env);
    this.central.args = ["--out", this.out, "--deadline", `${deadlineMs}`, ...centralArgs];
    this.central.onLine = (line) => this.#noteCommit(line);
    for (const device of model.config.geometry.devices.keys()) {
      this.edges.push(new Service(`edge ${device}`, [], env, options.elsewhere?.command));
    }
  }

  get devices(): number {
    return this.edges.length;
  }

  /** Starts everything; the broker is up when this resolves. */
  async start(): Promise<void> {
    const port = await freePort(this.random);
    this.broker.args = ["broker", "--port", `${port}`, "--json"];
    this.relay.target = port;
    await this.#startBroker();
    const model = ["--model", join(this.folder, "model")];
    const central = ["central", "--broker", `mqtt://127.0.0.1:${port}`, "--survey", SURVEY];
    this.central.args = [...central, ...model, "--no-pictures", ...this.central.args];
    this.central.start();
    for (const device of this.edges.keys()) {
      await mkdir(this.sourceOf(device));
      this.setUp(device);
      this.edges[device]!.start();
    }
  }

  /** Sets the arguments of a device's next start. */
  setUp(
    device: number,
    { model = "model", outbox = this.outboxOf(device), more = [""] } = {},
  ): void {
    this.edges[device]!.args = [
      ...["edge", "--broker", this.relay.url, "--survey", SURVEY],
      ...["--device", `${device}`, "--source", this.sourceOf(device), "--outbox", outbox],
      ...["--model", join(this.folder, model), "--ack-timeout", `${ACK_TIMEOUT_MS}`],
      ...(this.#options.edgeArgs ?? []),
      ...more.filter((argument) => argument !== ""),
    ];
  }

  sourceOf(device: number): string {
    return join(this.folder, `source-${device}`);
  }

  outboxOf(device: number): string {
    return join(this.folder, `outbox-${device}`);
  }

  /** Gives every device its traces of a record, in any order. */
  async shoot(record: number): Promise<void> {
    const first = this.random(0, this.devices - 1);
    for (let i = 0; i < this.devices; i++) {
      const device = (first + i) % this.devices;
      const { shots, samples, devices } = this.model.config.geometry;
      const bytes = encodeNpy(
        [shots, samples, devices[device]!.receivers],
        this.traces(record, device),
      );
      const hidden = join(this.sourceOf(device), `.${record}.part`);
      await writeFile(hidden, bytes);
      await rename(hidden, join(this.sourceOf(device), `${record}.npy`));
    }
  }

  /** Shoots all records, `between` before each of them. */
  async shootAll(between: (record: number) => Promise<void> = async () => {}): Promise<void> {
    for (let record = 1; record <= RECORDS; record++) {
      await between(record);
      await this.shoot(record);
      await sleep(this.random(0, 60));
    }
  }

  traces(record: number, device: number): Float32Array {
    return tinyTraces(this.model.config, record * 64 + device, device);
  }

  /** Waits until every frame is in a result or named; fails with what is missing and last words. */
  async allAccounted(timeoutMs = 600_000): Promise<void> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const start = Date.now();
      const report = await gapReport([this.out], { from: 1n, to: BigInt(this.records) }).catch(
        (error: Error) => error.message,
      );
      if (typeof report !== "string" && report.unnamedFrames === 0) return;
      this.checkFaults();
      if (Date.now() > end) {
        const words = [this.central, ...this.edges].map((one) => `${one.name}\n${one.lastLines}`);
        throw new Error(
          `seed ${this.seed}: not within ${timeoutMs} ms: ${JSON.stringify(report)}\n${words.join("\n")}`,
        );
      }
      // A look at thousands of results takes a while itself.
      await sleep(300 + 4 * (Date.now() - start));
    }
  }

  /** No process may have ended that the test did not end. */
  checkFaults(): void {
    for (const { fault } of [this.broker, this.central, ...this.edges]) {
      if (fault !== undefined) throw new Error(`seed ${this.seed}: ${fault}`);
    }
  }

  /** Ends the devices and has each of them empty its outbox: nothing may be stuck in one. */
  async emptyOutboxes(): Promise<void> {
    for (const [device, edge] of this.edges.entries()) {
      await edge.kill("SIGTERM");
      const args = edge.args;
      edge.args = [...args, "--once", "--json"];
      const code = await edge.start().end();
      edge.args = args;
      const totals = code === 0 ? JSON.parse(edge.stdout) : undefined;
      if (totals?.waiting !== 0 || totals.gaps !== 0) {
        throw new Error(
          `seed ${this.seed}: device ${device} ended with ${code}: ${edge.stdout}${edge.lastLines}`,
        );
      }
    }
  }

  /**
   * Every result bit for bit against the same computation in this process, every frame once, every
   * commit with something new; the rest has a reason. Prints the
   * account. An interim one is counted only.
   */
  async account({ interim = false } = {}): Promise<Account> {
    const report = await gapReport([this.out], { from: 1n, to: BigInt(this.records) });
    // A refinement replaces one file after the other: results are read when all is still.
    if (!interim) await this.#checkAll();
    const reasons = [...report.partial, ...report.missing].flatMap(({ devices }) =>
      devices.flatMap(({ reason }) => reason ?? []),
    );
    const account: Account = {
      records: this.records,
      complete: report.complete,
      lost: report.unnamedFrames,
      doubled: this.#doubled(),
      named: report.namedFrames,
      reasons: [...new Set(reasons)],
    };
    const starts = [this.broker, this.central, ...this.edges].map(({ starts }) => starts - 1);
    const restarts = starts.reduce((a, b) => a + b, 0);
    const line = {
      fault: this.name,
      seed: this.seed,
      ...account,
      restarts,
      link: this.#mischief(),
    };
    if (!interim) console.log(JSON.stringify(line));
    return account;
  }

  async dispose(): Promise<void> {
    await Promise.all([this.central, ...this.edges].map((service) => service.kill()));
    await this.broker.kill();
    await this.relay.close();
    await this.#dispose();
  }

  async #startBroker(): Promise<void> {
    this.broker.start();
    while (!this.broker.stdout.endsWith("}\n")) {
      this.checkFaults();
      await sleep(50);
    }
  }

  #noteCommit(line: string): void {
    if (!line.includes('"record committed"')) return;
    const { record, devicesPresent } = JSON.parse(line);
    const commits = this.commits.get(record) ?? [];
    commits.push(devicesPresent);
    this.commits.set(record, commits);
  }

  /** Commits that bring no device that an earlier one did not have. */
  #doubled(): number {
    let doubled = 0;
    for (const commits of this.commits.values()) {
      const seen = new Set<number>();
      for (const devices of commits) {
        if (devices.every((device) => seen.has(device))) doubled++;
        for (const device of devices) seen.add(device);
      }
    }
    return doubled;
  }

  async #checkAll(): Promise<void> {
    const encoder = await EdgeEncoder.load({ weights: this.model.edge });
    const decoder = await CentralDecoder.load({ weights: this.model.central });
    for (let record = 1; record <= this.records; record++)
      await this.#check(record, encoder, decoder);
    encoder.dispose();
    decoder.dispose();
  }

  async #check(record: number, encoder: EdgeEncoder, decoder: CentralDecoder): Promise<void> {
    const folder = join(this.out, `${record}`);
    const document = await readDocument(folder);
    if (document === undefined) return;
    const frames = split(await readFile(join(folder, "frames.bin")));
    const length = frames[0]!.latent.length;
    const latents = new Int8Array(this.devices * length);
    const present = new Array<boolean>(this.devices).fill(false);
    for (const frame of frames) {
      const expected = encoder.encode(this.traces(record, frame.device), { device: frame.device });
      const right = frame.record === BigInt(record) && same(frame.latent, expected);
      if (!right || present[frame.device])
        throw new Error(`record ${record}: a frame is not its own`);
      present[frame.device] = true;
      latents.set(expected, frame.device * length);
    }
    const listed = document.devicesPresent.map((device) => present[device]);
    if (listed.includes(false) || listed.length !== frames.length) {
      throw new Error(`record ${record}: document and frames differ`);
    }
    const { data } = await readNpy(join(folder, "velocity.npy"));
    if (!same(data, decoder.decode(latents, { present }))) {
      throw new Error(`record ${record}: another map than its latents give`);
    }
  }

  #mischief(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.relay.counts).filter(([, count]) => count > 0));
  }
}

/**
 * A port that stays the broker's over its restarts: below the range from which the system gives
 * ports to outgoing connections, any of which could take it meanwhile.
 */
async function freePort(random: Random): Promise<number> {
  for (;;) {
    const port = random(20_000, 32_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!free) continue;
    await new Promise<void>((resolve) => server.close(() => resolve()));
    return port;
  }
}

async function writeModel(folder: string, model: TinyModel): Promise<void> {
  await mkdir(folder);
  await writeFile(join(folder, "edge.safetensors"), model.edge);
  await writeFile(join(folder, "central.safetensors"), model.central);
}

function split(bytes: Uint8Array): ReturnType<typeof decodeFrame>[] {
  const frames: ReturnType<typeof decodeFrame>[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + frameLength(bytes.subarray(at));
    frames.push(decodeFrame(bytes.subarray(at, end)));
    at = end;
  }
  return frames;
}

function same(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.prototype.every.call(a, (value, i) => value === b[i]);
}

/** Names of the records that have a folder. */
export async function folders(out: string): Promise<string[]> {
  return (await readdir(out)).filter((name) => /^\d+$/.test(name));
}
