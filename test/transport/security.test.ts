/** The embedded broker with TLS and users, met by clients that keep the rules and clients that do not. */
import { connect as tcpConnect } from "node:net";
import { connect as tlsConnect } from "node:tls";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { centralClientId, edgeClientId } from "../../src/protocol/index.ts";
import {
  Broker,
  type BrokerOptions,
  describeRefusal,
  MqttLink,
  type Refusal,
  Users,
} from "../../src/transport/index.ts";
import { until } from "../edge/smallSurvey.ts";
import { Authority } from "./certificates.ts";

const slowMs = 30_000;
const root = "epic/v1/line";
const cleanups: (() => Promise<unknown>)[] = [];
const tokens: Record<string, string> = {};
let users = new Users();
let refused: Refusal[];
let authority: Authority;

beforeAll(() => {
  authority = new Authority();
  for (const name of ["line.device.0", "line.device.1", "line.central", "other.device.0"]) {
    const made = users.with(name);
    users = made.users;
    tokens[name] = made.token;
  }
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe("users", () => {
  it("carries a frame, an acknowledgement and a status between those entitled to them", async () => {
    const broker = await start();
    const device = link(
      broker,
      "line.device.0",
      edgeClientId("line", 0),
      `${root}/status/device/0`,
    );
    const central = link(broker, "line.central", centralClientId("line", [0], 1));
    const heard: string[] = [];
    for (const end of [device, central]) end.onMessage(({ topic }) => heard.push(topic));
    await central.subscribe([`${root}/0/latent/+`, `${root}/0/gap/+`, `${root}/status/device/+`]);
    await device.subscribe([`${root}/+/ack/0`]);
    await until(() => device.connected && central.connected, slowMs);
    await device.publish(`${root}/0/latent/0`, new Uint8Array(1088), { qos: 1 });
    await device.publish(`${root}/0/gap/0`, new Uint8Array(120), { qos: 1 });
    await central.publish(`${root}/0/ack/0`, new Uint8Array(60));
    await until(() => heard.length >= 4, slowMs);
    expect(heard.sort()).toEqual([
      `${root}/0/ack/0`,
      `${root}/0/gap/0`,
      `${root}/0/latent/0`,
      `${root}/status/device/0`,
    ]);
    expect(refused).toEqual([]);
  });

  it.each([
    ["no user name", {}, "credentials"],
    ["an unknown user", { username: "line.device.7", password: "x" }, "credentials"],
    ["another's token", { username: "line.device.0", from: "line.device.1" }, "credentials"],
    ["no token", { username: "line.device.0" }, "credentials"],
    [
      "another's client id",
      { username: "line.device.0", from: "line.device.0", clientId: edgeClientId("line", 1) },
      "client-id",
    ],
    [
      "another's last will",
      { username: "line.device.0", from: "line.device.0", willTopic: `${root}/status/device/1` },
      "will",
    ],
  ])("refuses a connection with %s, and counts it", async (_name, how, reason) => {
    const broker = await start();
    const { from, willTopic, ...given } = how as Record<string, string>;
    const options: IClientOptions = { clientId: edgeClientId("line", 0), ...given };
    if (from !== undefined) options.password = tokens[from]!;
    if (willTopic !== undefined)
      options.will = { topic: willTopic, payload: Buffer.from("offline"), qos: 0, retain: true };
    await expect(connect(broker, options)).rejects.toThrow(
      reason === "credentials" ? "Bad username or password" : "Not authorized",
    );
    expect([...broker.refusals()]).toEqual([[reason, 1]]);
    expect(refused[0]).toMatchObject({ reason, from: "127.0.0.1" });
    expect(broker.clients).toBe(0);
  });

  it.each([
    `${root}/0/latent/1`,
    `${root}/0/gap/1`,
    `${root}/status/device/1`,
    `${root}/0/ack/0`,
    `${root}/claim`,
    "epic/v1/other/0/latent/0",
    "anything",
  ])(
    "ends the connection of a device that publishes to %s, which nobody receives",
    async (topic) => {
      const broker = await start();
      const seen: string[] = [];
      broker.tap("#", (heard) => seen.push(heard));
      const device = await connect(broker, as("line.device.0"));
      const closed = new Promise<void>((resolve) => device.once("close", () => resolve()));
      device.publish(topic, "x", { qos: 1 }, () => {});
      await closed;
      await until(() => broker.refusals().get("publish") === 1, slowMs);
      expect(refused[0]).toMatchObject({ reason: "publish", user: "line.device.0", detail: topic });
      expect(seen.filter((heard) => !heard.startsWith("$SYS"))).toEqual([]);
    },
  );

  it.each(["#", `${root}/#`, `${root}/+/ack/+`, `${root}/0/ack/1`, `${root}/+/latent/+`, "$SYS/#"])(
    "gives a device no subscription to %s",
    async (filter) => {
      const broker = await start();
      const device = await connect(broker, as("line.device.0"));
      await expect(device.subscribeAsync(filter)).rejects.toThrow();
      expect(broker.refusals().get("subscribe")).toBe(1);
      expect(device.connected).toBe(true);
    },
  );

  it("cuts a stranger off at a packet longer than any CONNECT", async () => {
    const broker = await start();
    const socket = tcpConnect(broker.port, "127.0.0.1");
    socket.on("error", () => {});
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write(Buffer.of(0x10, 0x81, 0x10)); // CONNECT of 2049 bytes, none of which follows
    await closed;
    expect([...broker.refusals()]).toEqual([["packet-too-long", 1]]);
  });

  it("drops a user that leaves the list or gets another token, and nobody else", async () => {
    const broker = await start();
    const [zero, one] = [
      await connect(broker, as("line.device.0")),
      await connect(broker, as("line.device.1")),
    ];
    const closed = new Promise<void>((resolve) => zero.once("close", () => resolve()));
    const { users: changed, token } = users.with("line.device.0");
    broker.replaceUsers(changed);
    await closed;
    expect(one.connected).toBe(true);
    await expect(connect(broker, as("line.device.0"))).rejects.toThrow("Bad username or password");
    const back = await connect(broker, { ...as("line.device.0"), password: token });
    expect(back.connected).toBe(true);
    const gone = new Promise<void>((resolve) => one.once("close", () => resolve()));
    broker.replaceUsers(changed.without("line.device.1"));
    await gone;
    expect(back.connected).toBe(true);
  });
});

describe("TLS", () => {
  it("carries messages to a client that trusts the authority, and turns plain MQTT away", async () => {
    const broker = await start({ tls: authority.issue() });
    expect(broker.url).toMatch(/^mqtts:/);
    const device = link(
      broker,
      "line.device.0",
      edgeClientId("line", 0),
      undefined,
      authority.cert,
    );
    await until(() => device.connected, slowMs);
    await device.publish(`${root}/0/latent/0`, new Uint8Array(16_000), { qos: 1 });
    const plain = tcpConnect(broker.port, "127.0.0.1");
    const closed = new Promise((resolve) => plain.once("close", resolve));
    plain.on("error", () => {});
    plain.write(Buffer.from("100c00044d5154540402003c0000", "hex"));
    await closed;
    await until(() => broker.refusals().get("tls") === 1, slowMs);
    expect(device.connected).toBe(true);
  });

  it("is refused by a client that does not trust the authority", async () => {
    const broker = await start({ tls: authority.issue() });
    const problems: string[] = [];
    const stranger = new Authority("someone else");
    const device = link(
      broker,
      "line.device.0",
      edgeClientId("line", 0),
      undefined,
      stranger.cert,
      problems,
    );
    await until(() => problems.length > 0, slowMs);
    expect(problems[0]).toMatch(/certificate/);
    expect(device.connected).toBe(false);
  });

  it("asks for a certificate of the given authority", async () => {
    const broker = await start({ tls: { ...authority.issue(), ca: authority.cert } });
    const ca = authority.cert;
    const device = await connect(broker, {
      ...as("line.device.0"),
      ca,
      ...authority.issue("device-0"),
    });
    expect(device.connected).toBe(true);
    await expect(connect(broker, { ...as("line.device.1"), ca })).rejects.toThrow();
    const impostor = new Authority().issue("device-1");
    await expect(connect(broker, { ...as("line.device.1"), ca, ...impostor })).rejects.toThrow();
    expect(broker.refusals().get("tls")).toBeGreaterThanOrEqual(2);
  });

  it("speaks nothing older than TLS 1.2", async () => {
    const broker = await start({ tls: authority.issue() });
    const socket = tlsConnect({
      port: broker.port,
      ca: authority.cert,
      maxVersion: "TLSv1.1",
      minVersion: "TLSv1",
      ciphers: "ALL:@SECLEVEL=0",
    });
    await new Promise((resolve) => socket.once("error", resolve));
    await until(() => broker.refusals().get("tls") === 1, slowMs);
  });

  it("says in one line that a certificate is none", async () => {
    const { key } = authority.issue();
    await expect(Broker.start({ port: 0, tls: { cert: "none", key } })).rejects.toThrow(
      /^tls: expected a PEM certificate and its key, got /,
    );
  });
});

it("describes a refusal in one line, whatever the peer called itself", () => {
  const line = describeRefusal({
    reason: "credentials",
    from: "10.0.0.9",
    user: `a\nb${"c".repeat(500)}`,
  });
  expect(line).toMatch(/^refused credentials from 10\.0\.0\.9, user "a\\nbc+\.\.\."$/);
  expect(line.length).toBeLessThan(200);
});

async function start(options: BrokerOptions = {}): Promise<Broker> {
  refused = [];
  const onRefusal = (refusal: Refusal) => refused.push(refusal);
  const broker = await Broker.start({ port: 0, users, onRefusal, ...options });
  cleanups.push(() => broker.close());
  return broker;
}

function as(user: string): IClientOptions {
  const device = Number(user.split(".")[2]);
  return { username: user, password: tokens[user]!, clientId: edgeClientId("line", device) };
}

async function connect(broker: Broker, options: IClientOptions): Promise<MqttClient> {
  const client = mqtt.connect(broker.url, { reconnectPeriod: 0, ...options });
  cleanups.push(() => client.endAsync(true));
  await new Promise<void>((resolve, reject) => {
    client.once("connect", () => resolve());
    client.once("close", () => reject(new Error("closed")));
    client.on("error", reject);
  });
  return client;
}

function link(
  broker: Broker,
  username: string,
  clientId: string,
  statusTopic?: string,
  ca?: string,
  problems: string[] = [],
): MqttLink {
  const made = new MqttLink({
    url: broker.url.replace("127.0.0.1", "localhost"),
    clientId,
    username,
    password: tokens[username]!,
    onProblem: (problem) => problems.push(problem),
    ...(statusTopic && { statusTopic }),
    ...(ca && { tls: { ca } }),
  });
  cleanups.push(() => made.close());
  return made;
}
