/** Central processes that want the same shards, as real processes. */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { encodeNpy } from "../../src/io/npy.ts";
import { Broker } from "../../src/transport/index.ts";
import { scratch, until } from "../edge/smallSurvey.ts";
import { tinyTraces } from "../library/tinyModel.ts";
import { type Running, requireBuild, start } from "./processes.ts";
import { writeSurveyModel } from "./surveyModel.ts";

const slowMs = 300_000;
let folder: Awaited<ReturnType<typeof scratch>>;
let broker: Broker;
let traces: Float32Array;
/** What the central processes said of themselves. */
let status: string[];
const running: Running[] = [];

beforeEach(async () => {
  requireBuild();
  folder = await scratch();
  const model = await writeSurveyModel(at("model"), 1);
  traces = tinyTraces(model.config, 7);
  broker = await Broker.start({ port: 0 });
  status = [];
  broker.tap("epic/v1/line/status/central/+", (topic, payload) => {
    status.push(`${topic.split("/").at(-1)} ${Buffer.from(payload)}`);
  });
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
  "refuses the second process of a shard, and lets it in when the first is dead",
  async () => {
    const first = await serving("0/2");
    const second = await central("0,1/2", "b").ended;
    expect(second.code).toBe(1);
    expect(second.stdout).toBe("");
    expect(second.stderr).toMatch(
      /^epic: --shards: expected shard 0 of 2 of survey line unclaimed, got a central process that serves 0\/2 since \S+ \(\S+:\d+\)\n$/,
    );
    expect(status).toEqual(["0-of-2 online"]);
    await serving("1/2", "b");
    first.child.kill("SIGKILL");
    await first.ended;
    await serving("0/2");
    expect(status).toEqual(["0-of-2 online", "1-of-2 online", "0-of-2 offline", "0-of-2 online"]);
  },
  slowMs,
);

it(
  "spreads records over two processes by shard, each record at one",
  async () => {
    await serving("0/2", "even");
    await serving("1/2", "odd");
    await mkdir(at("source"));
    for (const record of [1, 2, 3, 4, 5, 6]) {
      await writeFile(join(at("source"), `${record}.npy`), encodeNpy([5, 1000, 14], traces));
    }
    const device = ["--device", "0", "--source", at("source"), "--outbox", at("outbox")];
    const edge = keep(start(["edge", ...common(), ...device, "--shards", "2", "--once", "--json"]));
    const { code, stdout, stderr } = await edge.ended;
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ acknowledged: 6, waiting: 0 });
    expect(await records("even")).toEqual(["2", "4", "6"]);
    expect(await records("odd")).toEqual(["1", "3", "5"]);
  },
  slowMs,
);

function central(shards: string, out = "results"): Running {
  const options = ["--shards", shards, "--out", at(out), "--deadline", "0"];
  return keep(start(["central", ...common(), ...options, "--log-level", "info"]));
}

async function serving(shards: string, out?: string): Promise<Running> {
  const [before, process] = [status.length, central(shards, out)];
  const online = `${shards.replace("/", "-of-")} online`;
  await until(() => status.slice(before).includes(online), slowMs);
  return process;
}

function common(): string[] {
  return ["--broker", broker.url, "--survey", "line", "--model", at("model")];
}

function at(name: string): string {
  return join(folder.path, name);
}

async function records(out: string): Promise<string[]> {
  return (await readdir(at(out))).filter((name) => /^\d+$/.test(name)).sort();
}

function keep(process: Running): Running {
  running.push(process);
  return process;
}
