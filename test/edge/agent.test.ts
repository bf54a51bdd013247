import { rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AgentEvent, type AgentOptions, EdgeAgent } from "../../src/edge/agent.ts";
import { Outbox } from "../../src/edge/outbox.ts";
import { firstRecord } from "../../src/edge/source.ts";
import {
  type Ack,
  ackTopic,
  centralStatusTopic,
  decodeFrame,
  decodeGapNotice,
  Encoding,
  encodeAck,
  type Gap,
  gapTopic,
  inGap,
  type LatentFrame,
  parseGapTopic,
  parseLatentTopic,
} from "../../src/protocol/index.ts";
import { MemoryNetwork } from "./memoryNetwork.ts";
import { allTraces, encoder, latentOf, npy, ownTraces, scratch, until } from "./smallSurvey.ts";

const device = 1;
let folder: Awaited<ReturnType<typeof scratch>>;
let network: MemoryNetwork;
let outbox: Outbox;

beforeEach(async () => {
  folder = await scratch();
  network = new MemoryNetwork();
  outbox = await Outbox.open(join(folder.path, "outbox"), { owner: "field/1" });
});
afterEach(async () => {
  await outbox.close();
  await folder.dispose();
});

describe("EdgeAgent", () => {
  it("takes its own receivers out of every file layout, and ids from name and index", async () => {
    central();
    const three = Float32Array.from([5, 6, 7].flatMap((record) => [...allTraces(record)]));
    const two = Float32Array.from([11, 12].flatMap((record) => [...ownTraces(record, device)]));
    await file("record-000003.npy", [2, 4, 2], ownTraces(3, device));
    await file("shot-4.npy", [2, 4, 6], allTraces(4));
    await file("line2-data5.npy", [3, 2, 4, 6], three);
    await file("11.npy", [2, 2, 4, 2], two);
    const totals = await agent({ once: true }).run(AbortSignal.timeout(50_000));
    const frames = sent();
    expect(frames.map(({ record }) => record)).toEqual([3n, 4n, 5n, 6n, 7n, 11n, 12n]);
    for (const frame of frames) {
      expect(frame).toMatchObject({ device, devices: 3, firstReceiver: 2, receivers: 2 });
      expect(frame.latent).toEqual(latentOf(Number(frame.record), device));
      expect(frame.acquiredNs).toBeGreaterThan(1_600_000_000_000_000_000n);
    }
    expect(totals).toMatchObject({ stored: 7, acknowledged: 7, waiting: 0, payloadBytes: 56 });
  });

  it("stores before it publishes and removes on the acknowledgement alone", async () => {
    await record(1);
    const stop = new AbortController();
    const sizes: number[] = [];
    network.deliver = () => sizes.push(outbox.size) > 0;
    const running = agent().run(stop.signal);
    await until(() => sizes.length === 1);
    expect(sizes).toEqual([1]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(outbox.size).toBe(1);
    await answer(1);
    await until(() => outbox.size === 0);
    stop.abort();
    expect(await running).toMatchObject({ acknowledged: 1, waiting: 0 });
  });

  it("continues after a stop: unacknowledged frames again, taken files not", async () => {
    await record(1);
    await record(2);
    const stop = new AbortController();
    const link = network.link();
    const running = agent({ link }).run(stop.signal);
    await until(() => sent().length === 2);
    await answer(1);
    await until(() => outbox.size === 1);
    stop.abort();
    await running;
    await link.close();
    await rm(join(folder.path, "record-2.npy"));
    network.published.length = 0;
    central();
    const totals = await agent({ once: true }).run(AbortSignal.timeout(50_000));
    expect(sent().map((frame) => frame.record)).toEqual([2n]);
    expect(totals).toMatchObject({ stored: 0, acknowledged: 1 });
  });

  it("holds frames back until they are worth a wake-up, and takes one answer for many", async () => {
    const stop = new AbortController();
    const bursts: number[] = [];
    let burst = 0;
    network.deliver = (topic) => {
      if (topic.includes("/latent/") && burst++ === 0) {
        queueMicrotask(() => {
          bursts.push(burst);
          burst = 0;
        });
      }
      return true;
    };
    const running = agent({ perWakeup: 3, wakeupAfterMs: 3_600_000 }).run(stop.signal);
    for (const id of [1, 2]) await record(id);
    await until(() => outbox.size === 2);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(sent()).toEqual([]);
    await record(3);
    await until(() => sent().length === 3);
    // What is published in one go shares segments.
    expect(bursts).toEqual([3]);
    expect(network.published.filter(({ qos }) => qos !== 0)).toEqual([]);
    // The radio is awake: what comes now goes along.
    await record(4);
    await until(() => sent().length === 4);
    const ack = { status: "committed", record: 4n, also: [1n, 2n], modelId: encoder.modelId };
    await network.link().publish(ackTopic("field", 0, device), encodeAck(ack as Ack));
    await until(() => outbox.size === 1);
    await answer(3);
    await until(() => outbox.size === 0);
    await record(5);
    await until(() => outbox.size === 1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(sent().length).toBe(4);
    stop.abort();
    expect(await running).toMatchObject({ stored: 5, acknowledged: 4, waiting: 1 });
  });

  it("holds no frame back longer than it is told to", async () => {
    const stop = new AbortController();
    const running = agent({ perWakeup: 3, wakeupAfterMs: 400 }).run(stop.signal);
    await record(1);
    await until(() => sent().length === 1);
    stop.abort();
    await running;
  });

  it("has at most its window unacknowledged, and new records pass the backlog", async () => {
    for (let id = 1; id <= 6; id++) await record(id);
    const link = network.link();
    link.plug(false);
    const stop = new AbortController();
    const running = agent({ link, window: 2, pollMs: 20 }).run(stop.signal);
    await until(() => outbox.size === 6);
    link.plug(true);
    await until(() => sent().length === 2);
    await record(7);
    await until(() => outbox.size === 7);
    expect(sent().map((frame) => frame.record)).toEqual([1n, 2n]);
    await answer(1);
    await until(() => sent().length === 3);
    await answer(2);
    await until(() => sent().length === 4);
    expect(sent().map((frame) => frame.record)).toEqual([1n, 2n, 7n, 3n]);
    stop.abort();
    await running;
  });

  it("sends again after the link was lost, and when a central node comes online", async () => {
    await record(1);
    const link = network.link();
    const stop = new AbortController();
    const running = agent({ link }).run(stop.signal);
    await until(() => sent().length === 1);
    link.plug(false);
    link.plug(true);
    await until(() => sent().length === 2);
    const status = centralStatusTopic("field", [0], 1);
    link.receive(status, new TextEncoder().encode("online"), true);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(sent().length).toBe(2); // a retained status is no news
    link.receive(status, new TextEncoder().encode("online"), false);
    await until(() => sent().length === 3);
    stop.abort();
    await running;
  });

  it("sends again when the acknowledgement does not come in time", async () => {
    await record(1);
    let lost = 0;
    network.deliver = (topic) => !topic.includes("/latent/") || lost++ > 0;
    central();
    const totals = await agent({ once: true, ackTimeoutMs: 50 }).run(AbortSignal.timeout(50_000));
    expect(lost).toBeGreaterThanOrEqual(2);
    expect(totals.acknowledged).toBe(1);
  });

  it("sets refused frames aside and reports unreadable ones", async () => {
    await record(1);
    const events: AgentEvent[] = [];
    const stop = new AbortController();
    const running = agent({ onEvent: (event) => events.push(event) }).run(stop.signal);
    await until(() => sent().length === 1);
    const link = network.link();
    const topic = ackTopic("field", 0, device);
    await link.publish(topic, encodeAck({ status: "unreadable", reason: "bad-checksum" }));
    await link.publish(topic, new TextEncoder().encode("not an acknowledgement"));
    await until(() => events.some(({ kind }) => kind === "unreadable"));
    expect(outbox.size).toBe(1);
    const id = { record: 1n, modelId: encoder.modelId };
    await link.publish(topic, encodeAck({ status: "refused", ...id, reason: "unknown-model" }));
    await until(() => outbox.size === 0);
    stop.abort();
    expect(await running).toMatchObject({ refused: 1, acknowledged: 0 });
    expect(outbox.refusedCount).toBe(1);
  });

  it("names each file that cannot be taken, once, and goes on", async () => {
    const gaps = central();
    const old = new Date(Date.now() - 60_000);
    const bad = async (name: string, bytes: Uint8Array | string) => {
      await writeFile(join(folder.path, name), bytes);
      await utimes(join(folder.path, name), old, old);
    };
    const nan = ownTraces(1, device);
    nan[3] = Number.NaN;
    await bad("1.npy", "no npy at all");
    await bad("2.npy", npy([2, 4, 3], new Float32Array(24)));
    await bad("3.npy", npy([2, 4, 2], nan));
    await bad("4.npy", npy([2, 4, 2], ownTraces(4, device)).subarray(0, 150));
    await bad("none.npy", npy([2, 4, 2], ownTraces(5, device)));
    await file("6.npy", [2, 4, 2], ownTraces(6, device));
    const problems: string[] = [];
    const onEvent = (event: AgentEvent) => {
      if (event.kind === "problem") problems.push(event.message);
    };
    await agent({ once: true, onEvent }).run(AbortSignal.timeout(50_000));
    await agent({ once: true, onEvent }).run(AbortSignal.timeout(50_000));
    expect(problems.map((problem) => problem.split(":")[0]).sort()).toEqual(
      ["1.npy", "2.npy", "3.npy", "4.npy", "none.npy"].sort(),
    );
    expect(problems.find((problem) => problem.startsWith("3"))).toMatch(/NaN.*sample|sample.*NaN/i);
    // One notice or several, depending on how fast the first is noted.
    expect(gaps.every(({ reason }) => reason === "bad-source")).toBe(true);
    for (const record of [1n, 2n, 3n, 4n])
      expect(gaps.some((gap) => inGap(gap, record))).toBe(true);
    expect(gaps.some((gap) => inGap(gap, 6n))).toBe(false);
    expect(sent().map((frame) => frame.record)).toEqual([6n]);
  });

  it("waits for a file that is still being written", async () => {
    central();
    const bytes = npy([2, 4, 2], ownTraces(1, device));
    const path = join(folder.path, "record-1.npy");
    await writeFile(path, bytes.subarray(0, 140));
    const problems: AgentEvent[] = [];
    const onEvent = (event: AgentEvent) => void (event.kind === "problem" && problems.push(event));
    const running = agent({ once: true, pollMs: 20, onEvent }).run(AbortSignal.timeout(50_000));
    await new Promise((resolve) => setTimeout(resolve, 60));
    await writeFile(path, bytes);
    expect(await running).toMatchObject({ acknowledged: 1 });
    expect(problems).toEqual([]);
  });

  it("refuses a file whose record ids another file has", async () => {
    central();
    const old = new Date(Date.now() - 60_000);
    await file("data1.npy", [3, 2, 4, 2], new Float32Array(48));
    await file("data2.npy", [3, 2, 4, 2], new Float32Array(48));
    await utimes(join(folder.path, "data2.npy"), old, old);
    const problems: string[] = [];
    const onEvent = (event: AgentEvent) => {
      if (event.kind === "problem") problems.push(event.message);
    };
    const totals = await agent({ once: true, onEvent }).run(AbortSignal.timeout(50_000));
    expect(totals.acknowledged).toBe(3);
    expect(problems).toEqual([
      "data2.npy: expected record ids of its own, got 2 to 4 that data1.npy has too",
    ]);
  });

  it("stops taking records while the outbox is full, and loses none", async () => {
    await outbox.close();
    // Room for two frames of 72 bytes.
    outbox = await Outbox.open(join(folder.path, "outbox"), { owner: "field/1", bytesMax: 150 });
    for (let id = 1; id <= 5; id++) await record(id);
    const events: AgentEvent[] = [];
    const link = network.link();
    link.plug(false);
    const running = agent({
      link,
      once: true,
      pollMs: 20,
      onEvent: (event) => events.push(event),
    }).run(AbortSignal.timeout(50_000));
    await until(() => events.some(({ kind }) => kind === "full"));
    expect(outbox.size).toBe(2);
    central();
    link.plug(true);
    expect(await running).toMatchObject({ stored: 5, acknowledged: 5 });
  });

  it("sends less while central is busy, and more again as it answers", async () => {
    for (let id = 1; id <= 8; id++) await record(id);
    const stop = new AbortController();
    const windows: number[] = [];
    const onEvent = (event: AgentEvent) => {
      if (event.kind === "busy") windows.push(event.window);
    };
    const running = agent({ window: 4, onEvent }).run(stop.signal);
    await until(() => sent().length === 4);
    const topic = ackTopic("field", 0, device);
    for (let i = 0; i < 3; i++) await network.link().publish(topic, encodeAck({ status: "busy" }));
    await until(() => windows.length === 3);
    expect(windows).toEqual([2, 1, 1]);
    for (const id of [1, 2, 3]) await answer(id);
    await until(() => outbox.size === 5);
    await new Promise((resolve) => setTimeout(resolve, 30));
    // One answer widens a window of one to two; it takes two more on top of these to make it three.
    expect(sent().length).toBe(5);
    for (const id of [4, 5]) await answer(id);
    await until(() => sent().length === 8);
    stop.abort();
    await running;
  });

  it("reports losses until they are noted, with nothing of them left then", async () => {
    await outbox.close();
    const options = { owner: "field/1", bytesMax: 150, whenFull: "drop-oldest" } as const;
    outbox = await Outbox.open(join(folder.path, "outbox"), options);
    for (let id = 1; id <= 5; id++) await record(id);
    const link = network.link();
    link.plug(false);
    const lost: bigint[] = [];
    const onEvent = (event: AgentEvent) => void (event.kind === "lost" && lost.push(event.record));
    const settings = { link, once: true, pollMs: 20, ackTimeoutMs: 50, onEvent, shards: 2 };
    const running = agent(settings).run(AbortSignal.timeout(50_000));
    await until(() => outbox.gapCount > 0 && outbox.keys().at(-1)!.includes("5!"));
    let unheard = 3;
    network.deliver = (topic) => !topic.includes("/gap/") || unheard-- <= 0;
    const gaps = central();
    link.plug(true);
    const totals = await running;
    expect(lost).toEqual([1n, 2n, 3n]);
    expect(totals).toMatchObject({ stored: 5, acknowledged: 2, dropped: 3, gaps: 0 });
    expect(new Set(gaps.map(({ from, to, lost }) => `${from}-${to}/${lost}`))).toEqual(
      new Set(["1-3/3"]),
    );
    const topics = new Set(network.topics("/gap/"));
    expect(topics).toEqual(new Set([gapTopic("field", 0, 1), gapTopic("field", 1, 1)]));
  });

  it("names a frame that the outbox cannot give back, and goes on", async () => {
    const damaged = new Uint8Array(100).fill(7);
    const mark = { size: 1, mtimeMs: 1, first: "3", count: 1, done: 1 };
    await outbox.put({ record: 3n, modelId: encoder.modelId, frame: damaged }, "3.npy", mark);
    await record(4);
    const gaps = central();
    const totals = await agent({ once: true }).run(AbortSignal.timeout(50_000));
    expect(totals).toMatchObject({ acknowledged: 1, waiting: 0, gaps: 0 });
    expect(gaps).toMatchObject([{ from: 3n, to: 3n, reason: "damaged" }]);
  });

  it("refuses entropy coding with a model that has no tables", () => {
    expect(() => agent({ encoding: Encoding.entropy })).toThrow(
      "encoding: expected a model with frequency tables for entropy, got none",
    );
  });

  it("refuses a device that the model does not have", () => {
    expect(() => agent({ device: 3 })).toThrow("device: expected 0 to 2, got 3");
  });
});

describe("firstRecord", () => {
  it.each([
    ["record-000123.npy", 123n],
    ["line7-data2.npy", 2n],
    ["9007199254740993.npy", 9007199254740993n],
    ["none.npy", undefined],
    ["99999999999999999999.npy", undefined],
  ])("%s -> %s", (name, expected) => {
    expect(firstRecord(name)).toBe(expected);
  });
});

function agent(options: Partial<AgentOptions> = {}): EdgeAgent {
  const fixed = { encoder, outbox, survey: "field", device, source: folder.path };
  return new EdgeAgent({ ...fixed, link: options.link ?? network.link(), ...options });
}

/** Acknowledges every frame and notes every gap; returns the gaps. */
function central(): Gap[] {
  const link = network.link();
  const gaps: Gap[] = [];
  void link.subscribe(["epic/v1/field/+/latent/+", "epic/v1/field/+/gap/+"]);
  link.onMessage(({ topic, payload }) => {
    const { shard } = (parseLatentTopic(topic) ?? parseGapTopic(topic))!;
    const answer = (ack: Ack) =>
      void link.publish(ackTopic("field", shard, device), encodeAck(ack));
    const gap = decodeGapNotice(payload);
    if (gap === undefined) {
      const { record, modelId } = decodeFrame(payload);
      answer({ status: "committed", record, modelId });
    } else {
      gaps.push(gap);
      answer({ status: "noted", gap });
    }
  });
  return gaps;
}

async function answer(record: number): Promise<void> {
  const ack = { status: "committed", record: BigInt(record), modelId: encoder.modelId } as const;
  await network.link().publish(ackTopic("field", 0, device), encodeAck(ack));
}

function sent(): LatentFrame[] {
  return network.published
    .filter(({ topic }) => topic.includes("/latent/"))
    .map(({ payload }) => decodeFrame(payload));
}

async function file(name: string, shape: readonly number[], values: Float32Array): Promise<void> {
  const hidden = join(folder.path, `.${name}`);
  await writeFile(hidden, npy(shape, values));
  await rename(hidden, join(folder.path, name));
}

function record(id: number): Promise<void> {
  return file(`record-${id}.npy`, [2, 4, 2], ownTraces(id, device));
}
