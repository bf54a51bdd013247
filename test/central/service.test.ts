import { existsSync, readdirSync } from "node:fs";
import { mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GapStore } from "../../src/central/gaps.ts";
import { CentralMetrics } from "../../src/central/metrics.ts";
import { OpenFrames } from "../../src/central/openFrames.ts";
import { CentralService, type ServiceOptions } from "../../src/central/service.ts";
import { type RecordDocument, ResultStore } from "../../src/central/store.ts";
import { readNpy } from "../../src/io/npy.ts";
import {
  type Ack,
  crc32c,
  decodeAck,
  decodeFrame,
  Encoding,
  encodeFrame,
  encodeGapNotice,
  gapTopic,
  LatentCoder,
  latentTopic,
} from "../../src/protocol/index.ts";
import { type MemoryLink, MemoryNetwork } from "../edge/memoryNetwork.ts";
import {
  config,
  decoder,
  frameOf,
  latentOf,
  modelId,
  scratch,
  until,
} from "../edge/smallSurvey.ts";
import { randomTables } from "../library/latentTables.ts";

let folder: Awaited<ReturnType<typeof scratch>>;
let network: MemoryNetwork;
let metrics: CentralMetrics;
let devices: MemoryLink;
let acks: { device: number; ack: Ack }[];
/** Steady clock and wall clock, ms. */
let now: number;
let wall: number;
const warnings: string[] = [];

beforeEach(async () => {
  folder = await scratch();
  network = new MemoryNetwork();
  metrics = new CentralMetrics({ modelId, name: "small", module: "scalar" });
  devices = network.link();
  now = 1_000;
  wall = 1_000_000;
  acks = [];
  warnings.length = 0;
  await devices.subscribe(["epic/v1/field/+/ack/+"]);
  devices.onMessage(({ topic, payload }) => {
    acks.push({ device: Number(topic.split("/").at(-1)), ack: decodeAck(payload)! });
  });
});
afterEach(() => folder.dispose());

describe("CentralService", () => {
  it("decodes a complete record, commits it, then acknowledges every device", async () => {
    const service = await central();
    let committedFirst = false;
    network.deliver = (topic) => {
      if (topic.includes("/ack/")) committedFirst = commitsBefore();
      return true;
    };
    await send(service, [1, 0], [1, 2]);
    expect(acks).toEqual([]);
    now += 40;
    await send(service, [1, 1]);
    expect(acks.map(({ device }) => device).sort()).toEqual([0, 1, 2]);
    expect(acks[0]!.ack).toEqual({ status: "committed", record: 1n, modelId });
    expect(committedFirst).toBe(true);
    expect(await map(1)).toEqual([sum(1, 0), sum(1, 1), sum(1, 2)]);
    expect(await document(1)).toMatchObject({
      survey: "field",
      record: "1",
      modelId,
      revision: 1,
      devicesPresent: [0, 1, 2],
      devicesMissing: [],
      payloadBytes: 24,
      frameBytes: 216,
      msWait: 40,
      map: { shape: [2, 3], dxM: 10, unit: "m/s" },
    });
    expect((await readdir(join(folder.path, "1"))).sort()).toEqual([
      "frames.bin",
      "maps.png",
      "record.json",
      "velocity.npy",
    ]);
  });

  it("decodes at the deadline without the missing device, and refines when it comes", async () => {
    const service = await central();
    await send(service, [1, 0], [1, 2]);
    now += 999;
    service.tick();
    await service.settled();
    expect(existsSync(join(folder.path, "1"))).toBe(false);
    now += 1;
    service.tick();
    await service.settled();
    expect(await map(1)).toEqual([sum(1, 0), -1, sum(1, 2)]);
    expect(await document(1)).toMatchObject({ devicesPresent: [0, 2], devicesMissing: [1] });
    expect(acks.map(({ device }) => device)).toEqual([0, 2]);

    await send(service, [1, 1]);
    expect(await map(1)).toEqual([sum(1, 0), sum(1, 1), sum(1, 2)]);
    expect(await document(1)).toMatchObject({ revision: 2, devicesMissing: [] });
    expect(acks.map(({ device }) => device)).toEqual([0, 2, 1]);
    expect(await metric("epic_records_total")).toEqual({ partial: 1, refined: 1 });
  });

  it("keeps the frames of a record that waits, so that devices out of step do not wait for it", async () => {
    const first = await central({ keepAfterMs: 100 });
    await send(first, [1, 0], [2, 1]);
    now += 99;
    first.tick();
    await first.settled();
    expect(acks).toEqual([]);
    now += 1;
    first.tick();
    await first.settled();
    await new Promise((resolve) => setImmediate(resolve));
    expect(acks.map(({ device, ack }) => [device, ack.status])).toEqual([
      [0, "committed"],
      [1, "committed"],
    ]);
    expect((await readdir(join(folder.path, "open"))).sort()).toEqual(["1.bin", "2.bin"]);
    await send(first, [1, 0]); // its acknowledgement was lost
    expect(acks.length).toBe(3);

    // Another process takes up what the first has kept.
    network.links.delete(links.at(-1)!);
    const second = await central({ keepAfterMs: 100 });
    await send(second, [1, 1], [1, 2]);
    expect(await document(1)).toMatchObject({ revision: 1, devicesPresent: [0, 1, 2] });
    expect(await map(1)).toEqual([sum(1, 0), sum(1, 1), sum(1, 2)]);
    now += 1000;
    second.tick();
    await second.settled();
    expect(await document(2)).toMatchObject({ revision: 1, devicesPresent: [1] });
    expect(await readdir(join(folder.path, "open"))).toEqual([]);
  });

  it("acknowledges what it keeps of a device in one message", async () => {
    const service = await central({ keepAfterMs: 100 });
    await send(service, [1, 0], [2, 0], [3, 0]);
    now += 100;
    service.tick();
    await until(() => acks.length > 0);
    await service.settled();
    await new Promise((resolve) => setImmediate(resolve));
    expect(acks).toEqual([
      { device: 0, ack: { status: "committed", record: 3n, also: [2n, 1n], modelId } },
    ]);
  });

  it("tries a result with kept frames again, since no device has them any more", async () => {
    const service = await central({ keepAfterMs: 100 });
    await send(service, [1, 0]);
    now += 100;
    service.tick();
    await service.settled();
    await mkdir(join(folder.path, "1", "frames.bin"), { recursive: true });
    await send(service, [1, 1], [1, 2]);
    expect(warnings).toEqual(["a frame or record could not be handled"]);
    await rm(join(folder.path, "1"), { recursive: true });
    now += 5000;
    service.tick();
    await service.settled();
    expect(await document(1)).toMatchObject({ revision: 1, devicesPresent: [0, 1, 2] });
  });

  it("leaves kept frames of another model where they are", async () => {
    const first = await central({ keepAfterMs: 0 });
    await send(first, [1, 0]);
    first.tick();
    await first.settled();
    network.links.delete(links.at(-1)!);
    await central({ decoder: { ...decoder, modelId: "f".repeat(16) } });
    expect(warnings).toEqual(["kept frames cannot be taken up"]);
    expect(await readdir(join(folder.path, "open"))).toEqual(["1.bin"]);
  });

  it("keeps its deadlines when the wall clock jumps, forwards or back", async () => {
    const service = await central();
    await send(service, [1, 0], [1, 2]);
    wall += 86_400_000;
    service.tick();
    await service.settled();
    expect(acks).toEqual([]);
    wall -= 2 * 86_400_000;
    now += 1000;
    service.tick();
    await service.settled();
    expect((await document(1)).msWait).toBe(1000);
    expect(acks.map(({ device }) => device)).toEqual([0, 2]);
  });

  it("leaves frames unread beyond its queue, tells their devices, and takes them later", async () => {
    const service = await central({ queueMax: 2 });
    expect(service.unready()).toBeUndefined();
    for (const device of [0, 1, 2, 2]) {
      await devices.publish(latentTopic("field", 0, device), frameOf(1, device));
    }
    await new Promise<void>((resolve) => queueMicrotask(resolve));
    expect(service.unready()).toBe("overloaded");
    await service.settled();
    await new Promise((resolve) => setImmediate(resolve));
    expect(acks).toEqual([{ device: 2, ack: { status: "busy" } }]);
    expect(await metric("epic_frames_total")).toEqual({ taken: 2, shed: 2 });
    expect(service.unready()).toBeUndefined();
    await send(service, [1, 2]);
    expect((await document(1)).devicesPresent).toEqual([0, 1, 2]);
  });

  it("puts a named loss on disk before it says so, once however often it comes", async () => {
    const service = await central();
    const gap = { from: 4n, to: 6n, lost: 2n, modelId, reason: "outbox-full" } as const;
    let onDisk: string[] = [];
    network.deliver = (topic) => {
      if (topic.includes("/ack/")) onDisk = readdirSync(join(folder.path, "gaps"));
      return true;
    };
    for (let i = 0; i < 2; i++) {
      await publish(service, gapTopic("field", 0, 1), encodeGapNotice(gap));
    }
    expect(onDisk).toEqual(["1-4-6-outbox-full.json"]);
    expect(acks).toEqual(Array(2).fill({ device: 1, ack: { status: "noted", gap } }));
    expect(await new GapStore(folder.path).load()).toEqual([
      { ...gap, device: 1, reportedMs: wall },
    ]);
    acks.length = 0;
    await publish(service, gapTopic("field", 0, 3), encodeGapNotice(gap));
    await publish(service, gapTopic("field", 0, 1), new TextEncoder().encode("{}"));
    expect(acks).toEqual([]);
    expect(warnings.slice(-2)).toEqual(["gap notice unreadable", "gap notice unreadable"]);
  });

  it("decodes on while results are being written, and acknowledges each when its own is", async () => {
    const store = await ResultStore.open(folder.path, "field");
    const waiting = new Map<bigint, () => void>();
    const commit = store.commit.bind(store);
    store.commit = async (record, result) => {
      await new Promise<void>((resolve) => waiting.set(record, resolve));
      await commit(record, result);
    };
    const service = await central({ store });
    const publishAll = (record: number, senders: number[]) => {
      for (const device of senders) {
        void devices.publish(latentTopic("field", 0, device), frameOf(record, device));
      }
    };
    publishAll(1, [0, 1, 2]);
    publishAll(2, [0, 1, 2]);
    await until(() => waiting.size === 2);
    expect(acks).toEqual([]);
    waiting.get(2n)?.();
    await until(() => acks.length === 3);
    expect(acks.map(({ ack }) => (ack as { record: bigint }).record)).toEqual([2n, 2n, 2n]);
    // The same frame again: answered once the result is written, with the first one or, on a busy machine, after it.
    publishAll(1, [0]);
    waiting.get(1n)?.();
    await until(() => acks.length >= 6);
    await service.settled();
    const answers = acks.slice(3);
    for (const { ack } of answers) {
      expect(ack).toEqual({ status: "committed", record: 1n, modelId });
    }
    expect(new Set(answers.map(({ device }) => device))).toEqual(new Set([0, 1, 2]));
    expect(answers.filter(({ device }) => device !== 0)).toHaveLength(2);
    expect(await document(1)).toMatchObject({ revision: 1, devicesPresent: [0, 1, 2] });
    expect(await metric("epic_frames_total")).toEqual({ taken: 6, committed: 1 });
  });

  it("says in one message to each device what was committed in one go", async () => {
    const store = await ResultStore.open(folder.path, "field");
    const commit = store.commit.bind(store);
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let written = 0;
    store.commit = async (record, result) => {
      await commit(record, result);
      written++;
      await gate;
    };
    const service = await central({ store });
    for (const record of [1, 2, 3]) {
      for (const sender of [0, 1, 2]) {
        void devices.publish(latentTopic("field", 0, sender), frameOf(record, sender));
      }
    }
    await until(() => written === 3);
    open();
    await until(() => acks.length >= 3);
    await service.settled();
    const said = acks.flatMap(({ device, ack }) => {
      if (ack.status !== "committed") throw new Error(ack.status);
      return [ack.record, ...(ack.also ?? [])].map((record) => `${device}:${record}`);
    });
    expect(acks.length).toBe(3);
    expect(said.sort()).toEqual([0, 1, 2].flatMap((d) => [1, 2, 3].map((r) => `${d}:${r}`)));
    expect((await readdir(folder.path)).filter((name) => !name.startsWith(".")).length).toBe(3);
  });

  it("removes what a killed process left half written, not what another is writing", async () => {
    const old = join(folder.path, ".7.0123456789ab.tmp");
    const young = join(folder.path, ".8.0123456789ab.tmp");
    for (const draft of [old, young]) await mkdir(draft);
    await writeFile(join(old, "velocity.npy"), "");
    const hourAgo = Date.now() / 1000 - 3600;
    await utimes(old, hourAgo, hourAgo);
    await ResultStore.open(folder.path, "field");
    expect((await readdir(folder.path)).sort()).toEqual([".8.0123456789ab.tmp", ".epic-central"]);
  });

  it("refines after a restart from what is on disk", async () => {
    const first = await central();
    await send(first, [1, 0], [1, 2]);
    await first.drain();
    network.links.delete(links.at(-1)!);
    acks.length = 0;
    const second = await central();
    await send(second, [1, 0]);
    expect(acks.map(({ device }) => device)).toEqual([0]);
    await send(second, [1, 1]);
    expect(await map(1)).toEqual([sum(1, 0), sum(1, 1), sum(1, 2)]);
    expect(await document(1)).toMatchObject({ revision: 2, devicesPresent: [0, 1, 2] });
  });

  it("completes a refinement that was cut short before its document was written", async () => {
    const service = await central();
    await send(service, [1, 0], [1, 2]);
    await service.drain();
    const path = join(folder.path, "1", "record.json");
    const before = await readFile(path);
    await send(service, [1, 1]);
    await writeFile(path, before);
    acks.length = 0;
    await send(service, [1, 1]);
    expect(await document(1)).toMatchObject({ revision: 2, devicesPresent: [0, 1, 2] });
    expect(acks.map(({ device }) => device)).toEqual([1]);
  });

  it("counts each frame once and answers duplicates of a committed record", async () => {
    const service = await central();
    await send(service, [1, 0], [1, 0], [1, 1], [1, 1], [1, 2]);
    expect(acks.length).toBe(3);
    await send(service, [1, 0], [1, 2]);
    expect(acks.slice(3).map(({ device }) => device)).toEqual([0, 2]);
    expect((await document(1)).revision).toBe(1);
    expect(await metric("epic_frames_total")).toEqual({ taken: 3, duplicate: 2, committed: 2 });
  });

  it("refuses with a reason what it cannot place", async () => {
    const service = await central();
    const cases: [string, Uint8Array, string?][] = [
      ["unknown-model", frameOf(1, 1, { modelId: "f".repeat(16) })],
      ["wrong-geometry", frameOf(1, 1, { devices: 4 })],
      ["wrong-geometry", frameOf(1, 1, { firstReceiver: 3 })],
      ["wrong-geometry", frameOf(1, 1, { receivers: 3 })],
      ["wrong-geometry", frameOf(1, 1, { latent: new Int8Array(9) })],
      ["wrong-topic", frameOf(1, 1, { survey: "other" })],
      ["wrong-geometry", frameOf(1, 3, { devices: 4 }), latentTopic("field", 0, 3)],
    ];
    for (const [reason, frame, topic = latentTopic("field", 0, 1)] of cases) {
      acks.length = 0;
      await publish(service, topic, frame);
      expect(acks.map(({ ack }) => ack)).toMatchObject([{ status: "refused", reason }]);
    }
    expect(await metric("epic_frames_refused_total")).toEqual({
      "unknown-model": 1,
      "wrong-geometry": 5,
      "wrong-topic": 1,
    });
    await send(service, [1, 0], [1, 2]);
    service.tick();
    await service.settled();
    expect(acks.at(-1)!.ack.status).toBe("refused"); // none of them was taken
  });

  it("takes a frame on another device's topic for unreadable: neither device loses a frame", async () => {
    const service = await central();
    await publish(service, latentTopic("field", 0, 2), frameOf(1, 1));
    expect(acks).toEqual([{ device: 2, ack: { status: "unreadable", reason: "wrong-topic" } }]);
    await send(service, [1, 0], [1, 1], [1, 2]);
    expect((await document(1)).devicesPresent).toEqual([0, 1, 2]);
  });

  it("answers altered frames as unreadable, and takes the good one after", async () => {
    const service = await central();
    const altered = frameOf(1, 1);
    altered[70]! ^= 16;
    await publish(service, latentTopic("field", 0, 1), altered);
    expect(acks).toEqual([{ device: 1, ack: { status: "unreadable", reason: "bad-checksum" } }]);
    expect(await metric("epic_frames_refused_total")).toEqual({ "bad-checksum": 1 });
    await send(service, [1, 0], [1, 1], [1, 2]);
    expect((await document(1)).devicesPresent).toEqual([0, 1, 2]);
  });

  it("keeps a committed record against another model's latents", async () => {
    const first = await central();
    await send(first, [1, 0], [1, 1], [1, 2]);
    network.links.delete(links.at(-1)!);
    acks.length = 0;
    const newer = "f".repeat(16);
    const second = await central({ decoder: { ...decoder, modelId: newer } });
    await publish(second, latentTopic("field", 0, 1), frameOf(1, 1, { modelId: newer }));
    expect(acks[0]!.ack).toMatchObject({ status: "refused", reason: "other-model" });
    expect((await document(1)).modelId).toBe(modelId);
  });

  it("serves its shards alone", async () => {
    const service = await central({ served: [1, 3], shards: 4 });
    for (const record of [4, 5]) {
      for (const device of [0, 1, 2]) {
        await publish(service, latentTopic("field", record % 4, device), frameOf(record, device));
      }
    }
    expect((await readdir(folder.path)).filter((name) => !name.startsWith("."))).toEqual(["5"]);
    acks.length = 0;
    await publish(service, latentTopic("field", 3, 0), frameOf(5, 0));
    expect(acks[0]!.ack).toMatchObject({ reason: "wrong-topic" });
  });

  it("bounds the records it holds open", async () => {
    const service = await central({ openMax: 2 });
    await send(service, [1, 0], [2, 0], [3, 0]);
    expect((await document(1)).devicesPresent).toEqual([0]);
    expect(acks).toMatchObject([{ device: 0, ack: { record: 1n } }]);
  });

  it("acknowledges nothing that it could not commit, and recovers", async () => {
    const service = await central();
    await writeFile(join(folder.path, "1"), "in the way");
    await send(service, [1, 0], [1, 1], [1, 2]);
    expect(acks).toEqual([]);
    expect(warnings.at(-1)).toBe("a frame or record could not be handled");
    await send(service, [2, 0], [2, 1], [2, 2]);
    expect(acks.length).toBe(3);
  });

  it("is not ready while results cannot be written", async () => {
    const service = await central();
    await mkdir(join(folder.path, "1", "frames.bin"), { recursive: true });
    await send(service, [1, 0], [1, 1], [1, 2]);
    expect(acks).toEqual([]);
    expect(service.unready()).toBe("results cannot be written");
    await rm(join(folder.path, "1"), { recursive: true });
    await send(service, [1, 0], [1, 1], [1, 2]);
    expect(acks.length).toBe(3);
    expect(service.unready()).toBeUndefined();
  });

  it("refuses results of another survey, and damaged ones, without a word to the device", async () => {
    const service = await central();
    await send(service, [1, 0], [1, 2]);
    await service.drain();
    acks.length = 0;
    const path = join(folder.path, "1", "record.json");
    const good = await readFile(path, "utf8");
    await writeFile(path, good.replace('"field"', '"other"'));
    await send(service, [1, 1]);
    await writeFile(path, good.replace('"revision": 1', '"revision": "one"'));
    await send(service, [1, 1]);
    expect(acks).toEqual([]);
    await writeFile(path, good);
    await send(service, [1, 1]);
    expect(acks.length).toBe(1);
  });

  it("follows the devices' status", async () => {
    const service = await central();
    for (const [device, state] of [
      [0, "online"],
      [1, "offline"],
      [7, "online"],
    ] as const) {
      const payload = new TextEncoder().encode(state);
      await publish(service, `epic/v1/field/status/device/${device}`, payload);
    }
    expect(await metric("epic_device_up", "device")).toEqual({ 0: 1, 1: 0 });
  });
});

describe("entropy-coded frames", () => {
  const coder = new LatentCoder(modelId, randomTables(2, 4, 1));
  const coded = (record: number, device: number) => {
    const fields = { ...decodeFrame(frameOf(record, device)), encoding: Encoding.entropy };
    return encodeFrame(fields, coder);
  };

  it("are decoded under the model's tables, and read back from disk to be refined", async () => {
    const store = await ResultStore.open(folder.path, "field", { coder });
    const service = await central({ decoder: { ...decoder, coder }, store });
    const topic = (device: number) => latentTopic("field", 0, device);
    await publish(service, topic(0), coded(1, 0));
    await publish(service, topic(2), coded(1, 2));
    now += 1000;
    service.tick();
    await service.settled();
    const sums = [0, 2].map((d) =>
      decodeFrame(coded(1, d), coder).latent.reduce((a, b) => a + b, 0),
    );
    expect(await map(1)).toEqual([sums[0], -1, sums[1]]);
    await publish(service, topic(1), frameOf(1, 1));
    now += 1000;
    service.tick();
    await service.settled();
    expect(await map(1)).toEqual([sums[0], sum(1, 1), sums[1]]);
    const { payloadBytes, frameBytes } = await document(1);
    expect(payloadBytes).toBe(frameBytes - 3 * 64);
  });

  it("are refused, not called unreadable, by a model without tables", async () => {
    const service = await central();
    await publish(service, latentTopic("field", 0, 0), coded(1, 0));
    expect(acks.at(-1)!.ack).toMatchObject({ status: "refused", reason: "no-tables" });
  });

  it("are refused when their payload is no code of these tables", async () => {
    const service = await central({ decoder: { ...decoder, coder } });
    const bytes = coded(1, 0);
    bytes.fill(0, 60, 64);
    const end = bytes.length - 4;
    new DataView(bytes.buffer).setUint32(end, crc32c(bytes.subarray(0, end)), true);
    await publish(service, latentTopic("field", 0, 0), bytes);
    expect(await metric("epic_frames_refused_total", "reason")).toMatchObject({
      "entropy-bad-state": 1,
    });
  });
});

const links: MemoryLink[] = [];

async function central(options: Partial<ServiceOptions> = {}): Promise<CentralService> {
  const link = network.link();
  links.push(link);
  const log = {
    info: () => {},
    warn: (_fields: object, message: string) => void warnings.push(message),
    error: (_fields: object, message: string) => void warnings.push(message),
  };
  const service = new CentralService({
    decoder,
    link,
    store: await ResultStore.open(folder.path, "field"),
    gaps: new GapStore(folder.path),
    openFrames: new OpenFrames(folder.path),
    metrics,
    log,
    survey: "field",
    served: [0],
    shards: 1,
    deadlineMs: 1000,
    draw: () => Uint8Array.of(1, 2, 3),
    now: () => wall,
    steadyNow: () => now,
    ...options,
  });
  await service.start();
  return service;
}

async function publish(service: CentralService, topic: string, payload: Uint8Array): Promise<void> {
  await devices.publish(topic, payload);
  await new Promise((resolve) => setImmediate(resolve));
  await service.settled();
  await new Promise((resolve) => setImmediate(resolve));
}

async function send(service: CentralService, ...frames: [record: number, device: number][]) {
  for (const [record, device] of frames) {
    await publish(service, latentTopic("field", 0, device), frameOf(record, device));
  }
}

/** What is on disk at the moment of an acknowledgement. */
function commitsBefore(): boolean {
  return existsSync(join(folder.path, "1", "record.json"));
}

async function document(record: number): Promise<RecordDocument> {
  return JSON.parse(await readFile(join(folder.path, `${record}`, "record.json"), "utf8"));
}

async function map(record: number): Promise<number[]> {
  const { shape, data } = await readNpy(join(folder.path, `${record}`, "velocity.npy"));
  expect(shape).toEqual(config.geometry.map);
  return [...data.subarray(0, 3)];
}

function sum(record: number, device: number): number {
  return latentOf(record, device).reduce((total, code) => total + code, 0);
}

/** Values of one metric by its only label. */
async function metric(name: string, label?: string): Promise<Record<string, number>> {
  const { values } = (await metrics.registry.getSingleMetric(name)!.get()) as {
    values: { labels: Record<string, string>; value: number }[];
  };
  return Object.fromEntries(
    values.map(({ labels, value }) => [label ? labels[label] : Object.values(labels)[0], value]),
  );
}
