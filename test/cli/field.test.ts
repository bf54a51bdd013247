/** Devices and the central node as separate processes that are killed at bad moments. */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { encodeNpy } from "../../src/io/npy.ts";
import { decodeAck } from "../../src/protocol/index.ts";
import { Broker } from "../../src/transport/index.ts";
import { scratch, until } from "../edge/smallSurvey.ts";
import { tinyTraces } from "../library/tinyModel.ts";
import { type Running, requireBuild, start } from "./processes.ts";
import { writeSurveyModel } from "./surveyModel.ts";

const slowMs = 120_000;
let folder: Awaited<ReturnType<typeof scratch>>;
let broker: Broker;
let traces: Float32Array;
const running: Running[] = [];

beforeEach(async () => {
  requireBuild();
  folder = await scratch();
  const model = await writeSurveyModel(join(folder.path, "model"), 1);
  traces = tinyTraces(model.config, 7);
  broker = await Broker.start({ port: 0 });
});
afterEach(async () => {
  for (const { child, ended } of running.splice(0)) {
    child.kill("SIGKILL");
    await ended;
  }
  await broker.close();
  await folder.dispose();
});

it(
  "loses nothing when a device is killed with frames that nobody has acknowledged",
  async () => {
    await writeRecords(0, [1, 2, 3]);
    let published = 0;
    broker.tap("epic/v1/line/0/latent/0", () => published++);
    const first = edge(0);
    await until(() => published >= 3, slowMs);
    first.child.kill("SIGKILL");
    expect((await first.ended).signal).toBe("SIGKILL");
    // The outbox alone has them now.
    await rm(join(folder.path, "source-0"), { recursive: true });
    await mkdir(join(folder.path, "source-0"));
    central(["--deadline", "0"]);
    const second = edge(0, ["--once", "--json"]);
    const { code, stdout, stderr } = await second.ended;
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ stored: 0, acknowledged: 3, waiting: 0 });
    expect(await committed()).toEqual(["1", "2", "3"]);
  },
  slowMs,
);

it(
  "loses nothing and repeats nothing when the central node is killed between records",
  async () => {
    const first = central([]);
    for (const device of [0, 1, 2, 3, 4]) {
      await writeRecords(device, [1]);
      edge(device);
    }
    await until(async () => (await committed()).length === 1, slowMs);
    first.child.kill("SIGKILL");
    await first.ended;
    for (const device of [0, 1, 2, 3, 4]) await writeRecords(device, [2]);
    let latents = 0;
    broker.tap("epic/v1/line/0/latent/+", () => latents++);
    await until(() => latents >= 5, slowMs);
    const acked = new Set<bigint>();
    broker.tap("epic/v1/line/0/ack/+", (_topic, payload) => {
      const ack = decodeAck(payload);
      if (ack?.status === "committed") acked.add(ack.record);
    });
    central([]);
    await until(async () => (await committed()).length === 2, slowMs);
    await until(() => acked.has(2n), slowMs);
    for (const record of ["1", "2"]) {
      const path = join(folder.path, "results", record, "record.json");
      const document = JSON.parse(await readFile(path, "utf8"));
      expect(document).toMatchObject({ revision: 1, devicesPresent: [0, 1, 2, 3, 4] });
    }
  },
  slowMs,
);

it(
  "ends cleanly at SIGTERM: exit 0, status offline, frames kept",
  async () => {
    await writeRecords(0, [1]);
    const said: string[] = [];
    broker.tap("epic/v1/line/status/device/0", (_topic, payload) => {
      said.push(Buffer.from(payload).toString());
    });
    let published = 0;
    broker.tap("epic/v1/line/0/latent/0", () => published++);
    const device = edge(0, ["--json"]);
    await until(() => published >= 1, slowMs);
    device.child.kill("SIGTERM");
    const { code, stdout } = await device.ended;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ stored: 1, acknowledged: 0, waiting: 1 });
    await until(() => said.includes("offline"));
    expect(said).toEqual(["online", "offline"]);
  },
  slowMs,
);

it(
  "answers health checks, and says in one line what is wrong with its options",
  async () => {
    const node = central(["--http", "0"]);
    await until(() => /"http":(\d+)/.test(node.stderr()), slowMs);
    const port = /"http":(\d+)/.exec(node.stderr())![1];
    await until(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(metrics).toMatch(/^epic_model_info\{model_id="[0-9a-f]{16}",/m);
    const cases: [string[], RegExp][] = [
      [
        ["central", ...common("x y"), "--out", "o"],
        /--survey: expected 1-16 of a-z 0-9 -, got "x y"/,
      ],
      [["central", ...common("line"), "--out", "o", "--shards", "4/4"], /--shards: expected/],
      [
        ["edge", ...common("line"), "--device", "5", ...places(0)],
        /--device: expected 0 to 4, got 5/,
      ],
      [["edge", ...common("line"), "--device", "0"], /--source/],
    ];
    await mkdir(join(folder.path, "source-0"), { recursive: true });
    for (const [args, line] of cases) {
      const ended = await start(args).ended;
      expect(ended.code, ended.stderr).toBe(2);
      expect(ended.stderr).toMatch(line);
      expect(ended.stderr.trim().split("\n").length).toBe(1);
    }
  },
  slowMs,
);

function common(survey: string): string[] {
  return ["--broker", broker.url, "--survey", survey, "--model", join(folder.path, "model")];
}

function places(device: number): string[] {
  const at = (name: string) => join(folder.path, `${name}-${device}`);
  return ["--source", at("source"), "--outbox", at("outbox")];
}

function edge(device: number, more: readonly string[] = []): Running {
  const args = ["edge", ...common("line"), "--device", `${device}`, ...places(device), ...more];
  return keep(start(args));
}

function central(more: readonly string[]): Running {
  const out = join(folder.path, "results");
  return keep(start(["central", ...common("line"), "--out", out, "--deadline", "60000", ...more]));
}

function keep(process: Running): Running {
  running.push(process);
  return process;
}

async function writeRecords(device: number, records: readonly number[]): Promise<void> {
  const source = join(folder.path, `source-${device}`);
  await mkdir(source, { recursive: true });
  for (const record of records) {
    await writeFile(join(source, `${record}.npy`), encodeNpy([5, 1000, 14], traces));
  }
}

/** Records whose result counts. */
async function committed(): Promise<string[]> {
  const results = join(folder.path, "results");
  const names: string[] = await readdir(results).catch(() => []);
  const done: string[] = [];
  for (const name of names.sort()) {
    const files: string[] = await readdir(join(results, name)).catch(() => []);
    if (files.includes("record.json")) done.push(name);
  }
  return done;
}
