// Bytes on the wire per record, by how many records a device sends in one go: real device, broker and central processes, every
// device in a network namespace whose packets are counted one by one. Needs Linux, root, iproute2 and socat.
//   npm run bench:wire -- [--link 4g] [--per-wakeup 1,5,20] [--records 20] [--qos 0] [--encodings int8,4bit,entropy] [--json]
// `raw-packed` are the same records' traces under the testbed's best classical codec, one message each, by the same MQTT client,
// acknowledged in the same way. Links lose nothing here, so that no byte is sent twice. Connections are kept.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadModel } from "../dist/io/modelFiles.js";
import { encodeNpy, readNpy } from "../dist/io/npy.js";
import {
  ackFilter,
  ackTopic,
  committedAcks,
  decodeAck,
  encodeAck,
} from "../dist/protocol/index.js";
import { ArmBench, idOf } from "../dist/testbed/arms.js";
import { LINKS } from "../dist/testbed/links.js";
import { NamespaceEmulation, whyNoNamespaces } from "../dist/testbed/namespaces.js";
import { Broker } from "../dist/transport/broker.js";
import { MqttLink } from "../dist/transport/client.js";

const SELF = fileURLToPath(import.meta.url);
const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const SURVEY = "wire";
const DEVICES = 5;
const FAMILIES = ["flatvel", "curvevel", "flatfault", "curvefault", "style"];
/** No pings within a measurement. */
const KEEPALIVE_S = 600;
/** After the last acknowledgement: the pure acknowledgements of TCP are still to come. */
const TAIL_MS = 1000;
const GATHER_MS = 20;

const { values } = parseArgs({
  options: {
    link: { type: "string", default: "4g" },
    "per-wakeup": { type: "string", default: "1,5,20" },
    records: { type: "string", default: "20" },
    qos: { type: "string", default: "0" },
    encodings: { type: "string", default: "int8,4bit,entropy" },
    json: { type: "boolean", default: false },
    device: { type: "string" },
  },
});
const children = [];

/** A device that sends what it is given over Node's channel: how `raw-packed` travels. */
async function packedDevice(url, device) {
  const link = new MqttLink({
    url,
    clientId: `wire-packed-${device}`,
    keepaliveS: KEEPALIVE_S,
    gatherMs: GATHER_MS,
  });
  await link.subscribe([ackFilter(SURVEY, device)]);
  let waiting = 0;
  link.onMessage(({ payload }) => {
    const ack = decodeAck(payload);
    waiting -= 1 + (ack?.also?.length ?? 0);
    if (waiting === 0) process.send("done");
  });
  process.on("message", (messages) => {
    waiting = messages.length;
    for (const message of messages)
      void link.publish(`packed/${device}`, message, { qos: Number(values.qos) });
  });
  while (!link.connected) await sleep(50);
  process.send("ready");
}

/** Acknowledges `raw-packed` as the central service acknowledges frames: together what came together. */
async function packedCentre(url, modelId) {
  const link = new MqttLink({ url, clientId: "wire-packed-centre", keepaliveS: KEEPALIVE_S });
  await link.subscribe(["packed/+"]);
  const open = new Map();
  link.onMessage(({ topic, payload }) => {
    const device = Number(topic.split("/")[1]);
    if (!open.has(device)) {
      open.set(device, []);
      setImmediate(() => {
        const records = open.get(device);
        open.delete(device);
        for (const ack of committedAcks(records, modelId)) {
          void link.publish(ackTopic(SURVEY, 0, device), encodeAck(ack));
        }
      });
    }
    open.get(device).push(BigInt(idOf("raw-packed", payload)));
  });
  while (!link.connected) await sleep(50);
  return link;
}

/** Traces of `count` records of all kinds, [record][shots][samples][receivers]. */
async function traces(folder, count) {
  const records = [];
  const each = Math.ceil(count / (2 * FAMILIES.length));
  for (const [i, family] of FAMILIES.flatMap((name) => [`${name}-a`, `${name}-b`]).entries()) {
    const out = join(folder, family);
    await ended(
      start([
        "simulate",
        "--family",
        family,
        "-n",
        `${each}`,
        "--seed",
        `${9000 + i}`,
        "--boundary",
        "fast",
        "-o",
        out,
      ]),
    );
    const data = (await readdir(out)).find((name) => name.startsWith("data"));
    const { data: all } = await readNpy(join(out, data));
    const length = all.length / each;
    for (let k = 0; k < each; k++) records.push(all.subarray(k * length, (k + 1) * length));
  }
  return records.slice(0, count);
}

/** Wire bytes per record, all devices, over `wakeups` wake-ups of `n` records. */
async function measureEpic(folder, records, encoding, n, wakeups) {
  const place = join(folder, `${encoding}-${n}`);
  const { broker, emulation, links } = await network();
  try {
    const central = start([
      "central",
      "--broker",
      broker.url,
      "--survey",
      SURVEY,
      "--out",
      join(place, "out"),
      "--no-pictures",
      "--deadline",
      "600000",
    ]);
    await said(central, /"msg":"started"/);
    const sources = [];
    for (const [device, link] of links.entries()) {
      const source = join(place, `source-${device}`);
      await mkdir(source, { recursive: true });
      sources.push(source);
      const args = [
        "edge",
        "--broker",
        link.url,
        "--survey",
        SURVEY,
        "--device",
        `${device}`,
        "--source",
        source,
        "--outbox",
        join(place, `outbox-${device}`),
      ];
      start(
        [
          ...args,
          "--encoding",
          encoding,
          "--per-wakeup",
          `${n}`,
          "--qos",
          values.qos,
          "--window",
          "64",
          "--wakeup-after",
          "3600",
          "--ack-timeout",
          "600000",
        ],
        link.command,
      );
    }
    let next = 1;
    let acked = 0;
    broker.tap(`epic/v1/${SURVEY}/0/ack/+`, (_topic, payload) => {
      const ack = decodeAck(payload);
      if (ack?.status === "committed") acked += 1 + (ack.also?.length ?? 0);
    });
    return await averaged(links, n, wakeups, async () => {
      const shape = [n, 5, 1000, 70];
      const data = new Float32Array(n * records[0].length);
      for (let k = 0; k < n; k++)
        data.set(records[(next + k) % records.length], k * records[0].length);
      const bytes = encodeNpy(shape, data);
      for (const source of sources) {
        await writeFile(join(source, ".next.npy"), bytes);
        await rename(join(source, ".next.npy"), join(source, `r${next}.npy`));
      }
      next += n;
      while (acked < (next - 1) * DEVICES) await sleep(50);
    });
  } finally {
    await stopAll();
    await broker.close();
    await emulation.close();
  }
}

async function measurePacked(bench, records, n, wakeups) {
  const { broker, emulation, links } = await network();
  const centre = await packedCentre(broker.url, bench.modelId);
  try {
    const devices = links.map(({ url, command }, device) =>
      start([], command, [SELF, "--device", `${device}`, "--link", url, "--qos", values.qos]),
    );
    await Promise.all(devices.map((device) => message(device, "ready")));
    const arm = bench.arm("raw-packed");
    let next = 1;
    return await averaged(links, n, wakeups, async () => {
      const done = devices.map((device) => message(device, "done"));
      for (const [i, device] of devices.entries()) {
        const own = Array.from({ length: n }, (_, k) =>
          ownTraces(records[(next + k) % records.length], i),
        );
        device.send(own.map((traces, k) => arm.prepare(traces, i, next + k)));
      }
      next += n;
      await Promise.all(done);
    });
  } finally {
    await stopAll();
    await centre.close();
    await broker.close();
    await emulation.close();
  }
}

/** The first wake-up, which opens what is opened once, is not counted. */
async function averaged(links, n, wakeups, wake) {
  const total = () => links.reduce((sum, link) => sum + link.bytes().up + link.bytes().down, 0);
  await wake();
  await sleep(TAIL_MS);
  const before = total();
  for (let i = 0; i < wakeups; i++) {
    await wake();
    await sleep(TAIL_MS);
  }
  return (total() - before) / (n * wakeups);
}

async function network() {
  const link = LINKS[values.link];
  if (link === undefined)
    throw new Error(`--link: expected ${Object.keys(LINKS).join(", ")}, got ${values.link}`);
  const [up, down] = [link.up, link.down].map((direction) => ({ ...direction, loss: 0 }));
  const emulation = await NamespaceEmulation.create({
    link: { ...link, up, down },
    devices: DEVICES,
    seed: 1,
  });
  const broker = await Broker.start({ host: emulation.brokerHost, port: 0 });
  return { broker, emulation, links: await emulation.connect(broker.port) };
}

/** Receivers 14 i to 14 i + 13 of [shots][samples][70]. */
function ownTraces(record, device) {
  const own = new Float32Array(5 * 1000 * 14);
  for (let row = 0; row < 5000; row++)
    own.set(record.subarray(row * 70 + 14 * device, row * 70 + 14 * device + 14), row * 14);
  return own;
}

function start(args, inside = [], script = [MAIN]) {
  const [program, ...rest] = [...inside, process.execPath, ...script, ...args];
  const child = spawn(program, rest, {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "advanced",
  });
  child.setMaxListeners(0);
  child.text = "";
  child.stderr.on("data", (chunk) => {
    child.text = (child.text + chunk).slice(-65_536);
  });
  children.push(child);
  return child;
}

async function said(child, pattern) {
  while (!pattern.test(child.text)) {
    if (child.exitCode !== null) throw new Error(child.text);
    await sleep(50);
  }
}

function message(child, text) {
  return new Promise((resolve, reject) => {
    const hear = (word) => {
      if (word !== text) return;
      child.off("message", hear);
      resolve();
    };
    child.on("message", hear);
    child.once("exit", () => reject(new Error(child.text)));
  });
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(child.text))));
  });
}

async function stopAll() {
  for (const child of children) child.kill("SIGKILL");
  while (children.some(({ exitCode, signalCode }) => exitCode === null && signalCode === null))
    await sleep(20);
  children.length = 0;
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function measure() {
  const why = await whyNoNamespaces();
  if (why !== undefined) throw new Error(`bench:wire: ${why}`);
  const counts = values["per-wakeup"].split(",").map(Number);
  const qos = Number(values.qos);
  const folder = await mkdtemp(join(tmpdir(), "epic-wire-"));
  const results = [];
  try {
    const records = await traces(folder, 20);
    const bench = await ArmBench.load(await loadModel());
    for (const n of counts) {
      const row = {
        perWakeup: n,
        "raw-packed": await measurePacked(bench, records, n, Math.ceil(Number(values.records) / n)),
      };
      for (const encoding of values.encodings.split(",")) {
        row[encoding] = await measureEpic(
          folder,
          records,
          encoding,
          n,
          Math.ceil(Number(values.records) / n),
        );
      }
      results.push(row);
      if (!values.json) console.log(line(row));
    }
    if (values.json) console.log(JSON.stringify({ link: values.link, qos, results }, null, 2));
  } finally {
    await stopAll();
    await rm(folder, { recursive: true, force: true });
  }
}

function line({ perWakeup, ...bytes }) {
  const packed = bytes["raw-packed"];
  const parts = Object.entries(bytes).map(
    ([name, value]) => `${name} ${value.toFixed(0)} (${(packed / value).toFixed(1)})`,
  );
  return `${`${perWakeup} a wake-up`.padEnd(16)}wire bytes per record (times less than raw-packed): ${parts.join(", ")}`;
}

if (values.device !== undefined) await packedDevice(values.link, Number(values.device));
else await measure();
