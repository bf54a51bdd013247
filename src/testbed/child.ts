/** A device or the centre of the testbed, in a process of its own. Started by `children.ts`, never by hand. */
import { loadModel } from "../io/modelFiles.ts";
import {
  ackFilter,
  ackTopic,
  decodeAck,
  encodeAck,
  latentFilter,
  latentTopic,
  readFrameHeader,
} from "../protocol/index.ts";
import { MqttLink } from "../transport/client.ts";
import { ARMS, type Arm, ArmBench, type ArmName, FRAME_ENCODINGS, idOf, SURVEY } from "./arms.ts";
import {
  clientIdOf,
  clock,
  type FromChild,
  KEEPALIVE_S,
  type SetUp,
  type ToChild,
  type Turn,
} from "./messages.ts";

process.on("message", (message: ToChild) => {
  receive(message).catch((error: Error) => tell({ kind: "failed", message: error.message }));
});
process.on("uncaughtException", (error) => tell({ kind: "failed", message: error.message }));
process.on("disconnect", () => process.exit(0));

let turns: ((turn: Turn) => Promise<void>) | undefined;

async function receive(message: ToChild): Promise<void> {
  if (message.kind === "setup") {
    const bench = await ArmBench.load(await loadModel(message.model), message.module);
    const link = new MqttLink({
      url: message.url,
      clientId: clientIdOf(message.role, message.device),
      keepaliveS: KEEPALIVE_S,
    });
    turns = await (message.role === "device" ? device : centre)(message, bench, link);
    tell({ kind: "ready", module: bench.module, modelId: bench.modelId });
  } else {
    await turns?.(message);
  }
}

/** Makes a payload of each turn's traces, sends it, waits for broker and centre to have acknowledged it. */
async function device(setUp: SetUp, bench: ArmBench, link: MqttLink) {
  const own = setUp.device;
  const arms = armsOf(bench);
  const waiting = new Map<number, () => void>();
  await connected(link, [ackFilter(SURVEY, own)]);
  link.onMessage(({ payload }) => {
    const ack = decodeAck(payload);
    if (ack?.status === "committed") waiting.get(Number(ack.record))?.();
  });
  return async ({ id, arm, traces }: Turn) => {
    const { prepare, overheadBytes } = arms[arm];
    const startMs = clock();
    const cpu = process.cpuUsage();
    const message = prepare(traces, own, id);
    const { user, system } = process.cpuUsage(cpu);
    await pause((clock() - startMs) * (setUp.slowdown - 1));
    const encodedMs = clock();
    const answered = new Promise<void>((resolve) => waiting.set(id, resolve));
    await Promise.all([link.publish(topicOf(arm, own), message), answered]);
    waiting.delete(id);
    const payloadBytes = message.length - overheadBytes;
    const computeMs = ((user + system) / 1000) * setUp.slowdown;
    tell({ kind: "sent", id, device: own, startMs, encodedMs, computeMs, payloadBytes });
  };
}

/** Collects messages by record, makes the map when all devices' are there, and acknowledges. */
async function centre(setUp: SetUp, bench: ArmBench, link: MqttLink) {
  const arms = armsOf(bench);
  const open = new Map<number, { message: Uint8Array; arrivedMs: number }[]>();
  await connected(link, [...new Set(ARMS.map((arm) => topicOf(arm, "+")))]);
  link.onMessage(({ topic, payload: message }) => {
    const arrivedMs = clock();
    const arm = armOf(topic, message);
    const id = idOf(arm, message);
    const came = open.get(id) ?? [];
    open.set(id, came);
    came[Number(topic.split("/").at(-1))] = { message, arrivedMs };
    if (Object.keys(came).length < setUp.devices) return;
    open.delete(id);
    const start = clock();
    const map = arms[arm].decode(came.map((one) => one.message));
    const end = clock();
    const ack = encodeAck({ status: "committed", record: BigInt(id), modelId: bench.modelId });
    for (let i = 0; i < setUp.devices; i++) void link.publish(ackTopic(SURVEY, 0, i), ack);
    const arrivals = came.map((one) => one.arrivedMs);
    tell({ kind: "decoded", id, arrivedMs: arrivals, decodeMs: [start, end], map });
  });
  return async () => {};
}

/** EPIC's frames go where the product sends them. */
function topicOf(arm: ArmName, device: number | "+"): string {
  if (FRAME_ENCODINGS[arm] === undefined) return `testbed/${arm}/${device}`;
  return device === "+" ? latentFilter(SURVEY, 0) : latentTopic(SURVEY, 0, device);
}

function armOf(topic: string, message: Uint8Array): ArmName {
  if (topic.startsWith("testbed/")) return topic.split("/")[1] as ArmName;
  const { encoding } = readFrameHeader(message);
  return ARMS.find((arm) => FRAME_ENCODINGS[arm] === encoding)!;
}

/** Resolves when the link is up and subscribed. */
async function connected(link: MqttLink, filters: readonly string[]): Promise<void> {
  const up = new Promise<void>((resolve) => {
    if (link.connected) resolve();
    else link.onConnection((is) => is && resolve());
  });
  await link.subscribe(filters);
  await up;
  await link.subscribe(filters);
}

function armsOf(bench: ArmBench): Record<ArmName, Arm> {
  return Object.fromEntries(ARMS.map((arm) => [arm, bench.arm(arm)])) as Record<ArmName, Arm>;
}

function pause(ms: number): Promise<void> {
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : Promise.resolve();
}

function tell(message: FromChild): void {
  process.send?.(message);
}
