/** Central processes that want the same shards, as real processes. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { until } from "../edge/smallSurvey.ts";
import { FieldSurvey } from "./fieldSurvey.ts";
import type { Running } from "./processes.ts";

const slowMs = 300_000;
let survey: FieldSurvey;
/** What the central processes said of themselves. */
let status: string[];

beforeEach(async () => {
  survey = await FieldSurvey.open();
  status = [];
  survey.broker.tap("epic/v1/line/status/central/+", (topic, payload) => {
    status.push(`${topic.split("/").at(-1)} ${Buffer.from(payload)}`);
  });
});
afterEach(() => survey.close());

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
    await survey.writeRecords(0, [1, 2, 3, 4, 5, 6]);
    const edge = survey.edge(0, ["--shards", "2", "--once", "--json"]);
    const { code, stdout, stderr } = await edge.ended;
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ acknowledged: 6, waiting: 0 });
    expect(await survey.committed("even")).toEqual(["2", "4", "6"]);
    expect(await survey.committed("odd")).toEqual(["1", "3", "5"]);
  },
  slowMs,
);

function central(shards: string, out = "results"): Running {
  return survey.central(["--shards", shards, "--deadline", "0", "--log-level", "info"], out);
}

async function serving(shards: string, out?: string): Promise<Running> {
  const [before, process] = [status.length, central(shards, out)];
  const online = `${shards.replace("/", "-of-")} online`;
  await until(() => status.slice(before).includes(online), slowMs);
  return process;
}
