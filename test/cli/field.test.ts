/** Devices and the central node as separate processes that are killed at bad moments. */
import { mkdir, readFile, rm } from "node:fs/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { decodeAck } from "../../src/protocol/index.ts";
import { until } from "../edge/smallSurvey.ts";
import { FieldSurvey } from "./fieldSurvey.ts";
import { start } from "./processes.ts";

const slowMs = 120_000;
let survey: FieldSurvey;

beforeEach(async () => {
  survey = await FieldSurvey.open();
});
afterEach(() => survey.close());

it(
  "loses nothing when a device is killed with frames that nobody has acknowledged",
  async () => {
    await survey.writeRecords(0, [1, 2, 3]);
    let published = 0;
    survey.broker.tap("epic/v1/line/0/latent/0", () => published++);
    const first = survey.edge(0);
    await until(() => published >= 3, slowMs);
    first.child.kill("SIGKILL");
    expect((await first.ended).signal).toBe("SIGKILL");
    // The outbox alone has them now.
    await rm(survey.at("source-0"), { recursive: true });
    await mkdir(survey.at("source-0"));
    survey.central(["--deadline", "0"]);
    const second = survey.edge(0, ["--once", "--json"]);
    const { code, stdout, stderr } = await second.ended;
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ stored: 0, acknowledged: 3, waiting: 0 });
    expect(await survey.committed()).toEqual(["1", "2", "3"]);
  },
  slowMs,
);

it(
  "loses nothing and repeats nothing when the central node is killed between records",
  async () => {
    const first = survey.central(["--deadline", "60000"]);
    for (const device of [0, 1, 2, 3, 4]) {
      await survey.writeRecords(device, [1]);
      survey.edge(device);
    }
    await until(async () => (await survey.committed()).length === 1, slowMs);
    first.child.kill("SIGKILL");
    await first.ended;
    let latents = 0;
    survey.broker.tap("epic/v1/line/0/latent/+", () => latents++);
    for (const device of [0, 1, 2, 3, 4]) await survey.writeRecords(device, [2]);
    await until(() => latents >= 5, slowMs);
    const acked = new Set<bigint>();
    survey.broker.tap("epic/v1/line/0/ack/+", (_topic, payload) => {
      const ack = decodeAck(payload);
      if (ack?.status === "committed") acked.add(ack.record);
    });
    survey.central(["--deadline", "60000"]);
    await until(async () => (await survey.committed()).length === 2, slowMs);
    await until(() => acked.has(2n), slowMs);
    for (const record of ["1", "2"]) {
      const path = survey.at("results", record, "record.json");
      const document = JSON.parse(await readFile(path, "utf8"));
      expect(document).toMatchObject({ revision: 1, devicesPresent: [0, 1, 2, 3, 4] });
    }
  },
  slowMs,
);

it(
  "ends cleanly at SIGTERM: exit 0, status offline, frames kept",
  async () => {
    await survey.writeRecords(0, [1]);
    const said: string[] = [];
    survey.broker.tap("epic/v1/line/status/device/0", (_topic, payload) => {
      said.push(Buffer.from(payload).toString());
    });
    let published = 0;
    survey.broker.tap("epic/v1/line/0/latent/0", () => published++);
    const device = survey.edge(0, ["--json"]);
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
    const node = survey.central(["--http", "0"]);
    await until(() => /"http":(\d+)/.test(node.stderr()), slowMs);
    const port = /"http":(\d+)/.exec(node.stderr())![1];
    await until(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(metrics).toMatch(/^epic_model_info\{model_id="[0-9a-f]{16}",/m);
    const cases: [string[], RegExp][] = [
      [
        ["central", ...survey.common("x y"), "--out", "o"],
        /--survey: expected 1-16 of a-z 0-9 -, got "x y"/,
      ],
      [
        ["central", ...survey.common("line"), "--out", "o", "--shards", "4/4"],
        /--shards: expected/,
      ],
      [
        ["edge", ...survey.common("line"), "--device", "5", ...survey.places(0)],
        /--device: expected 0 to 4, got 5/,
      ],
      [["edge", ...survey.common("line"), "--device", "0"], /--source/],
    ];
    await mkdir(survey.at("source-0"), { recursive: true });
    for (const [args, line] of cases) {
      const ended = await start(args).ended;
      expect(ended.code, ended.stderr).toBe(2);
      expect(ended.stderr).toMatch(line);
      expect(ended.stderr.trim().split("\n").length).toBe(1);
    }
  },
  slowMs,
);
