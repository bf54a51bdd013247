// The central service under sustained load: real processes, a real broker, results on disk, acknowledgements awaited.
//   npm run bench:central -- [--seconds 20] [--warmup 5] [--centrals 1] [--window 32] [--qos 0] [--module simd] [--turbo] [--model DIR] [--dir DIR] [--keep] [--json]
// Five MQTT clients play the devices of one survey, each with --window frames unacknowledged, as fast as the service
// answers. Central and broker report their own CPU time, so that "records/s per core" (one second divided by the CPU
// time of one record, all threads counted) holds on a machine that is busy with other things, where records/s does not.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import mqtt from "mqtt";
import { CentralDecoder } from "../dist/central/index.js";
import { loadModelHalf } from "../dist/io/modelFiles.js";
import { ackFilter, decodeAck, encodeFrame, latentTopic } from "../dist/protocol/index.js";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "20" },
    warmup: { type: "string", default: "5" },
    centrals: { type: "string", default: "1" },
    window: { type: "string", default: "32" },
    qos: { type: "string", default: "0" },
    module: { type: "string" },
    turbo: { type: "boolean", default: false },
    model: { type: "string" },
    dir: { type: "string", default: tmpdir() },
    keep: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const [seconds, warmup, centrals, window] = ["seconds", "warmup", "centrals", "window"].map(
  (name) => {
    const value = Number(values[name]);
    if (!(value > 0))
      throw new RangeError(`--${name}: expected a positive number, got "${values[name]}"`);
    return value;
  },
);

const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const survey = "load";
const children = [];
const folder = await mkdtemp(join(values.dir, "epic-load-"));
async function measure() {
  const decoder = await CentralDecoder.load({
    weights: await loadModelHalf("central", values.model),
  });
  const { modelId, config } = decoder;
  decoder.dispose();
  const broker = start(["broker", "--port", "0"]);
  const url = (await said(broker, "stdout", /^(mqtt:\S+)/m))[1];
  const services = [];
  for (let i = 0; i < centrals; i++) {
    const compute = [
      ...(values.model ? ["--model", values.model] : []),
      ...(values.module ? ["--module", values.module] : []),
      ...(values.turbo ? ["--turbo"] : []),
    ];
    const place = [
      "--out",
      join(folder, `${i}`),
      "--shards",
      `${i}/${centrals}`,
      "--http",
      "0",
      "--no-pictures",
    ];
    const child = start([
      "central",
      "--broker",
      url,
      "--survey",
      survey,
      "--log-level",
      "info",
      ...place,
      ...compute,
    ]);
    const [, port] = await said(child, "stderr", /"http":(\d+)/);
    services.push({ child, port });
  }
  for (const { port } of services) await ready(port);
  const load = new Load(url, modelId, config);
  await load.start();
  await sleep(warmup * 1000);
  const before = await Promise.all([...services.map(snapshot), ticks(broker)]);
  const ownBefore = process.cpuUsage();
  const first = { acknowledged: load.acknowledged, time: performance.now() };
  const memory = [];
  for (let second = 0; second < seconds; second++) {
    await sleep(1000);
    memory.push(await Promise.all(services.map(snapshot)));
  }
  const after = await Promise.all([...services.map(snapshot), ticks(broker)]);
  const own = process.cpuUsage(ownBefore);
  const wallSeconds = (performance.now() - first.time) / 1000;
  const frames = load.acknowledged - first.acknowledged;
  await load.stop();
  const brokerTicks = after.pop() - before.pop();
  const records = sum(after.map(({ committed }, i) => committed - before[i].committed));
  const user = sum(after.map(({ userSeconds }, i) => userSeconds - before[i].userSeconds));
  const system = sum(after.map(({ systemSeconds }, i) => systemSeconds - before[i].systemSeconds));
  const cpuSeconds = user + system;
  return {
    machine: {
      cpu: cpus()[0].model,
      cores: cpus().length,
      loadBefore: loadavg()[0],
      node: process.versions.node,
    },
    centrals,
    module: after[0].module,
    devices: config.geometry.devices.length,
    window,
    seconds: wallSeconds,
    records,
    acknowledgedFrames: frames,
    recordsPerSecond: records / wallSeconds,
    centralCpuMsPerRecord: (cpuSeconds * 1000) / records,
    userMsPerRecord: (user * 1000) / records,
    systemMsPerRecord: (system * 1000) / records,
    recordsPerSecondPerCore: records / cpuSeconds,
    decodeMsPerRecord:
      (sum(after.map((s, i) => s.decodeSum - before[i].decodeSum)) * 1000) / records,
    brokerCpuMsPerRecord: (brokerTicks * 10) / records,
    clientsCpuMsPerRecord: (own.user + own.system) / 1000 / records,
    coresBusy: (cpuSeconds + brokerTicks / 100 + (own.user + own.system) / 1e6) / wallSeconds,
    rssMib: curves(memory, "rssBytes"),
    heapUsedMib: curves(memory, "heapUsedBytes"),
    externalMib: curves(memory, "externalBytes"),
  };
}

/** The devices: each keeps `window` frames under way. */
class Load {
  acknowledged = 0;
  #clients = [];
  #stopped = false;

  constructor(url, modelId, { geometry, latent }) {
    this.url = url;
    this.modelId = modelId;
    this.blocks = geometry.devices;
    this.codes = latent.slots * latent.channels;
  }

  async start() {
    for (const device of this.blocks.keys()) {
      const client = await mqtt.connectAsync(this.url, {
        clientId: `load-${device}`,
        reconnectPeriod: 0,
      });
      this.#clients.push(client);
      await client.subscribeAsync(ackFilter(survey, device));
      client.on("message", (_topic, payload) => {
        const ack = decodeAck(payload);
        // A service that is behind says so; the frame is not repeated here, so that must not happen.
        if (ack?.status !== "committed")
          throw new Error(`load: expected committed, got ${ack?.status}`);
        for (let i = 0; i < 1 + (ack.also?.length ?? 0); i++) {
          this.acknowledged++;
          this.#send(device);
        }
      });
    }
    this.next = this.blocks.map(() => 1);
    for (const device of this.blocks.keys()) for (let i = 0; i < window; i++) this.#send(device);
  }

  #send(device) {
    if (this.#stopped) return;
    const record = BigInt(this.next[device]++);
    const { firstReceiver, receivers } = this.blocks[device];
    const latent = Int8Array.from(
      { length: this.codes },
      (_, i) => ((Number(record) * 31 + i * 17 + device) % 255) - 127,
    );
    const place = { survey, record, device, devices: this.blocks.length, firstReceiver, receivers };
    const frame = encodeFrame({
      encoding: 0,
      modelId: this.modelId,
      ...place,
      acquiredNs: 0n,
      latent,
    });
    this.#clients[device].publish(
      latentTopic(survey, Number(record) % centrals, device),
      Buffer.from(frame),
      { qos: Number(values.qos) },
    );
  }

  async stop() {
    this.#stopped = true;
    await Promise.all(this.#clients.map((client) => client.endAsync(true)));
  }
}

async function snapshot({ port }) {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const value = (name) => Number(new RegExp(`^${name} (\\S+)`, "m").exec(text)?.[1] ?? 0);
  return {
    committed: value('epic_records_total\\{outcome="complete"\\}'),
    userSeconds: value("process_cpu_user_seconds_total"),
    systemSeconds: value("process_cpu_system_seconds_total"),
    rssBytes: value("process_resident_memory_bytes"),
    heapUsedBytes: value("nodejs_heap_size_used_bytes"),
    externalBytes: value("nodejs_external_memory_bytes"),
    decodeSum: value("epic_decode_seconds_sum"),
    module: /^epic_model_info\{.*module="(\w+)"/m.exec(text)?.[1],
  };
}

/** CPU time of a child in hundredths of a second; 0 where there is no /proc. */
async function ticks(child) {
  const text = await readFile(`/proc/${child.pid}/stat`, "utf8").catch(() => "");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

function start(args) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  child.text = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"]) {
    child[stream].on("data", (chunk) => {
      // The log of a long run is not kept.
      child.text[stream] = (child.text[stream] + chunk).slice(-65_536);
    });
  }
  return child;
}

async function said(child, stream, pattern) {
  for (;;) {
    const match = pattern.exec(child.text[stream]);
    if (match) return match;
    if (child.exitCode !== null) throw new Error(child.text.stderr);
    await sleep(20);
  }
}

async function ready(port) {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (response?.status === 200) return;
    await sleep(50);
  }
}

function report(result) {
  if (values.json) {
    console.log(JSON.stringify(result, null, 2));
    return;
  }
  const { machine, rssMib } = result;
  const rows = [
    [
      "machine",
      `${machine.cpu}, ${machine.cores} cores, load ${machine.loadBefore.toFixed(1)}, Node ${machine.node}`,
    ],
    ["central processes", `${result.centrals} (${result.module})`],
    ["records", `${result.records} in ${result.seconds.toFixed(1)} s`],
    ["records/s", result.recordsPerSecond.toFixed(0)],
    ["records/s per core of central", result.recordsPerSecondPerCore.toFixed(0)],
    [
      "central CPU per record, ms",
      `${result.centralCpuMsPerRecord.toFixed(2)}: user ${result.userMsPerRecord.toFixed(2)}, system ${result.systemMsPerRecord.toFixed(2)}; decoding (wall) ${result.decodeMsPerRecord.toFixed(2)}`,
    ],
    ["broker CPU per record, ms", result.brokerCpuMsPerRecord.toFixed(2)],
    ["clients' CPU per record, ms", result.clientsCpuMsPerRecord.toFixed(2)],
    ["cores busy with all of it", result.coresBusy.toFixed(2)],
    ["RSS of central, MiB, by tenths", tenths(rssMib)],
  ];
  for (const [name, value] of rows) console.log(`${name.padEnd(32)}${value}`);
}

/** [second][process], MiB. */
function curves(memory, key) {
  return memory.map((row) => row.map((snapshot) => Math.round(snapshot[key] / 2 ** 20)));
}

/** The largest of each tenth of the run, for each process: a curve that rises to its end has not levelled off. */
function tenths(rssMib) {
  return rssMib[0]
    .map((_, process) => {
      const curve = rssMib.map((row) => row[process]);
      const part = (k) => Math.round((curve.length * k) / 10);
      return Array.from({ length: 10 }, (_, k) => curve.slice(part(k), part(k + 1)))
        .filter((some) => some.length > 0)
        .map((some) => Math.max(...some))
        .join(" ");
    })
    .join(" + ");
}

function sum(numbers) {
  return numbers.reduce((total, value) => total + value, 0);
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

try {
  report(await measure());
} finally {
  for (const child of children) child.kill("SIGKILL");
  if (values.keep) console.error(`results kept in ${folder}`);
  else await rm(folder, { recursive: true, force: true });
}
