import { createServer, connect as tcpConnect } from "node:net";
import mqtt from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import {
  encodeFrame,
  FRAME_OVERHEAD_BYTES,
  type LinkMessage,
  latentTopic,
} from "../../src/protocol/index.ts";
import { Broker, MqttLink } from "../../src/transport/index.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe("Broker", () => {
  it("carries messages between links, and retained ones to later links", async () => {
    const broker = await startBroker();
    const [a, b] = [link(broker.url, "a"), link(broker.url, "b")];
    const heard = collect(b);
    await b.subscribe(["t/#"]);
    await Promise.all([up(a), up(b)]);
    await a.publish("t/1", Uint8Array.of(1, 2, 3), { qos: 1 });
    await a.publish("t/2", Uint8Array.of(4), { retain: true });
    await until(() => heard.length === 2);
    expect(heard.map(({ topic, retained }) => [topic, retained])).toEqual([
      ["t/1", false],
      ["t/2", false],
    ]);
    const late = link(broker.url, "late");
    const lateHeard = collect(late);
    await late.subscribe(["t/#"]);
    await until(() => lateHeard.length === 1);
    expect(lateHeard[0]).toMatchObject({ topic: "t/2", retained: true });
  });

  it("counts payload, MQTT and wire bytes per client", async () => {
    const broker = await startBroker();
    const sender = link(broker.url, "sender");
    await up(sender);
    await until(() => broker.bytes().has("sender"));
    const idle = broker.bytes().get("sender")!;
    const frame = encodeFrame({
      encoding: 0,
      modelId: "0123456789abcdef",
      survey: "s",
      record: 1n,
      device: 0,
      devices: 5,
      firstReceiver: 0,
      receivers: 14,
      acquiredNs: 0n,
      latent: new Int8Array(1024),
    });
    const topic = latentTopic("s", 0, 0);
    await sender.publish(topic, frame, { qos: 1 });
    const bytes = broker.bytes().get("sender")!;
    expect(bytes).toMatchObject({ frameCount: 1, frames: frame.length, connections: 1 });
    expect(bytes.payload).toBe(frame.length - FRAME_OVERHEAD_BYTES);
    // PUBLISH: type 1, length 2, topic length 2, topic, packet id 2, payload; PUBACK: 4.
    expect(bytes.mqttIn - idle.mqttIn).toBe(7 + topic.length + frame.length);
    expect(bytes.mqttOut - idle.mqttOut).toBe(4);
    // Two segments and one pure acknowledgement.
    const mqtt = bytes.mqttIn + bytes.mqttOut - idle.mqttIn - idle.mqttOut;
    expect(bytes.wire - idle.wire).toBeGreaterThanOrEqual(mqtt + 3 * 66);
    expect(bytes.wire - idle.wire).toBeLessThanOrEqual(mqtt + 4 * 66);
  });

  it("cuts off a client that announces a packet above the limit", async () => {
    const broker = await startBroker();
    const client = await mqtt.connectAsync(broker.url, { reconnectPeriod: 0 });
    const closed = new Promise<void>((resolve) => client.once("close", resolve));
    client.on("error", () => {});
    client.publish("t", Buffer.alloc(100_000), { qos: 1 }, () => {});
    await closed;
    await until(() => broker.clients === 0);
    const other = link(broker.url, "other");
    await up(other);
  });

  it("survives bytes that are no MQTT", async () => {
    const broker = await startBroker();
    for (const noise of ["GET / HTTP/1.1\r\n\r\n", "\x10\xff\xff\xff\xff\xff", "\x00\x00\x00"]) {
      const socket = tcpConnect(broker.port, "127.0.0.1");
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.on("error", () => {});
      socket.write(noise, "latin1");
      socket.end();
      await closed;
    }
    await up(link(broker.url, "after"));
  });

  it("says in one line that the port is taken", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    cleanups.push(() => new Promise((resolve) => server.close(resolve)));
    await expect(Broker.start({ port })).rejects.toThrow(
      `broker: expected a free port, got 127.0.0.1:${port} (already in use)`,
    );
  });
});

describe("MqttLink", () => {
  it("comes back after the broker does, subscriptions and all", async () => {
    const first = await Broker.start({ port: 0 });
    const problems: string[] = [];
    const a = link(first.url, "a", problems);
    const heard = collect(a);
    await a.subscribe(["t"]);
    await up(a);
    await first.close();
    await until(() => !a.connected);
    await expect(a.publish("t", Uint8Array.of(1))).rejects.toThrow("link: not connected");
    const second = await startBroker(first.port);
    await up(a);
    await a.publish("t", Uint8Array.of(7), { qos: 1 });
    await until(() => heard.length === 1);
    expect(heard[0]!.payload).toEqual(Buffer.of(7));
    expect(problems[0]).toBe(`connection to ${second.url} lost`);
  });

  it("goes to the next node of a cluster when one is gone", async () => {
    const [first, second] = [await startBroker(), await startBroker()];
    const problems: string[] = [];
    const made = new MqttLink({
      url: [first.url, second.url],
      clientId: "a",
      onProblem: (problem) => problems.push(problem),
      random: () => 0,
    });
    cleanups.push(() => made.close());
    await until(() => first.clients === 1 && made.connected);
    await first.close();
    await until(() => second.clients === 1 && made.connected);
    expect(problems).toEqual([`connection to ${first.url} lost`]);
  });

  it("keeps trying while nothing listens", async () => {
    const first = await Broker.start({ port: 0 });
    await first.close();
    const problems: string[] = [];
    const a = link(first.url, "a", problems);
    await until(() => problems.length >= 2);
    expect(problems[0]).toBe(`nothing listens at ${first.url}`);
    await startBroker(first.port);
    await up(a);
  });

  it("keeps a retained status: online, offline at the end, offline by last will", async () => {
    const broker = await startBroker();
    const said: string[] = [];
    broker.tap("status/#", (topic, payload) => said.push(`${topic} ${Buffer.from(payload)}`));
    const polite = new MqttLink({ url: broker.url, clientId: "p", statusTopic: "status/p" });
    await up(polite);
    await polite.close();
    await until(() => said.length === 2);
    const rude = await mqtt.connectAsync(broker.url, {
      reconnectPeriod: 0,
      will: { topic: "status/r", payload: Buffer.from("offline"), qos: 1, retain: true },
    });
    rude.stream.destroy();
    await until(() => said.length === 3);
    expect(said).toEqual(["status/p online", "status/p offline", "status/r offline"]);
  });

  it.each(["localhost:1883", "http://host", "mqtt://", "x"])("refuses the URL %s", (url) => {
    expect(() => new MqttLink({ url, clientId: "a" })).toThrow(
      `broker: expected a URL as mqtt://host:1883, got "${url}"`,
    );
  });
});

async function startBroker(port = 0): Promise<Broker> {
  const broker = await Broker.start({ port });
  cleanups.push(() => broker.close());
  return broker;
}

function link(url: string, clientId: string, problems: string[] = []): MqttLink {
  const made = new MqttLink({
    url,
    clientId,
    onProblem: (problem) => problems.push(problem),
    random: () => 0,
  });
  cleanups.push(() => made.close());
  return made;
}

function collect(from: MqttLink): LinkMessage[] {
  const heard: LinkMessage[] = [];
  from.onMessage((message) => heard.push(message));
  return heard;
}

function up(made: MqttLink): Promise<void> {
  return until(() => made.connected);
}

async function until(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
