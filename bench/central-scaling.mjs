// One central process, then two by shard, on this Node and on the newer one: the table of docs/scale.md in one go.
//   npm run bench:scaling -- [--rounds 3] [--seconds 25] [--warmup 5] [--centrals 1,2] [--here] [--json]
// Cases take turns, round by round; each figure is the median of its rounds. --here leaves the newer Node out. Wants a
// machine that does nothing else; "cores busy" says how much of it the processes, the broker and the clients took together.
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { median } from "../dist/testbed/bench/timing.js";
import { runNode } from "../scripts/run-node.mjs";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "25" },
    warmup: { type: "string", default: "5" },
    centrals: { type: "string", default: "1,2" },
    here: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const launchers = values.here ? [[]] : [[], ["scripts/newer-node.mjs"]];
const counts = values.centrals.split(",");
const cases = launchers.flatMap((launcher) =>
  counts.map((centrals) => ({ launcher, centrals, runs: [] })),
);

for (let round = 1; round <= Number(values.rounds); round++) {
  for (const one of cases) {
    const result = measure(one);
    one.runs.push(result);
    if (!values.json) {
      console.error(
        `round ${round}, Node ${result.machine.node}, ${one.centrals}: ${result.recordsPerSecond.toFixed(0)} records/s`,
      );
    }
  }
}
if (values.json) console.log(JSON.stringify(cases, null, 2));
else printTable();

function measure({ launcher, centrals }) {
  const load = ["--centrals", centrals, "--seconds", values.seconds, "--warmup", values.warmup];
  const script = [...launcher, "bench/central-throughput.mjs", ...load, "--json"];
  return JSON.parse(runNode(...script));
}

function printTable() {
  const { machine, module } = cases[0].runs[0];
  const loads = cases.flatMap(({ runs }) => runs.map((run) => run.machine.loadBefore.toFixed(1)));
  console.log(
    `${cpus().length} cores, ${machine.cpu}, ${module}, ${values.rounds} rounds of ${values.seconds} s; load before each: ${loads.join(" ")}\n`,
  );
  const heads = cases.map(
    ({ runs, centrals }) =>
      `Node ${runs[0].machine.node.split(".")[0]}, ${centrals} process${centrals === "1" ? "" : "es"}`,
  );
  print(["", ...heads]);
  print(["---", ...heads.map(() => "---:")]);
  const rows = [
    ["records/s, committed and acknowledged", "recordsPerSecond", 0],
    ["processor time per record, central, all threads, ms", "centralCpuMsPerRecord", 2],
    ["of it user", "userMsPerRecord", 2],
    ["of it system", "systemMsPerRecord", 2],
    ["decoding, ms (wall)", "decodeMsPerRecord", 2],
    ["records/s per core by processor time", "recordsPerSecondPerCore", 0],
    ["processor time per record, embedded broker, ms", "brokerCpuMsPerRecord", 2],
    ["processor time per record, the clients, ms", "clientsCpuMsPerRecord", 2],
    ["cores busy with all of it", "coresBusy", 2],
  ];
  for (const [name, key, digits] of rows) {
    print([name, ...cases.map(({ runs }) => median(runs.map((run) => run[key])).toFixed(digits))]);
  }
  print([
    "RSS of each central process, first, middle and last second, MiB",
    ...cases.map(({ runs }) => rss(runs.at(-1))),
  ]);
  print(["times one process", ...cases.map(timesOne)]);
}

function rss({ rssMib }) {
  const moments = [0, Math.floor(rssMib.length / 2), rssMib.length - 1];
  return moments.map((second) => rssMib[second].join("+")).join(", ");
}

function timesOne({ launcher, runs }) {
  const rate = (some) => median(some.map(({ recordsPerSecond }) => recordsPerSecond));
  const one = cases.find((other) => other.launcher === launcher && other.centrals === "1");
  return one ? (rate(runs) / rate(one.runs)).toFixed(2) : "";
}

function print(cells) {
  console.log(`| ${cells.join(" | ")} |`);
}
