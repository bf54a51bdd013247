/** docs/mosquitto/mosquitto.conf as it stands, with the files that `epic broker --mosquitto` writes. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { requireBuild, run } from "../cli/processes.ts";
import { Authority } from "../transport/certificates.ts";
import { Daemon, freePorts } from "./daemon.ts";
import { findBroker } from "./findBroker.ts";
import { report, Survey, until } from "./survey.ts";

const program = findBroker("mosquitto");
const root = "epic/v1/line";
const authority = new Authority();
const tokens: Record<string, string> = {};
const cleanups: (() => Promise<unknown>)[] = [];
let folder: string;
let daemon: Daemon;
let urls: { devices: string; central: string };

describe.skipIf(program === undefined)("Mosquitto as documented", () => {
  beforeAll(async () => {
    requireBuild();
    folder = await mkdtemp(join(tmpdir(), "epic-mosquitto-"));
    for (const user of ["line.central", "line.device.0", "line.device.1", "line.device.2"]) {
      const added = await run(["broker", "--users", at("users"), "--add-user", user]);
      expect(added.code, added.stderr).toBe(0);
      tokens[user] = added.stdout.trim();
      await writeFile(at(`${user}.token`), tokens[user], { mode: 0o600 });
    }
    const exported = await run(["broker", "--users", at("users"), "--mosquitto", folder]);
    expect(exported.code, exported.stderr).toBe(0);
    const { cert, key } = authority.issue();
    await writeFile(at("broker.pem"), cert);
    await writeFile(at("broker.key"), key, { mode: 0o600 });
    await writeFile(at("ca.pem"), authority.cert);
    const [devices, central] = await freePorts(2);
    const documented = await readFile(
      new URL("../../docs/mosquitto/mosquitto.conf", import.meta.url),
      "utf8",
    );
    const conf = documented
      .replaceAll("/etc/mosquitto/epic", folder)
      .replace("listener 8883", `listener ${devices}`)
      .replace("listener 8884", `listener ${central}`);
    // Started as root, Mosquitto becomes another user, who cannot read the scratch folder.
    await writeFile(at("mosquitto.conf"), `${conf}user ${userInfo().username}\n`);
    daemon = new Daemon(program!, ["-c", at("mosquitto.conf"), "-v"]);
    urls = { devices: `mqtts://localhost:${devices}`, central: `mqtts://localhost:${central}` };
    await until(() => /mosquitto version \S+ running/.test(daemon.output));
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  afterAll(async () => {
    await daemon?.kill();
    await rm(folder, { recursive: true, force: true });
  });

  it("carries records from devices to the central process and acknowledgements back", async () => {
    const survey = await Survey.create();
    cleanups.push(() => survey.dispose());
    const access = (user: string) => [
      "--tls-ca",
      at("ca.pem"),
      "--token-file",
      at(`${user}.token`),
    ];
    await survey.serving([urls.central], "0/1", access("line.central"));
    const edges = await Promise.all(
      [0, 1, 2].map((i) => survey.edge([urls.devices], i, 5, access(`line.device.${i}`))),
    );
    for (const { ended } of edges) expect(report(await ended)).toMatchObject({ acknowledged: 5 });
    expect((await survey.results(0)).size).toBe(5);
  });

  it.each([
    ["no user", {}],
    ["a wrong token", { username: "line.device.0", password: "x" }],
    ["a central token on the devices' listener", { user: "line.central" }],
  ])("refuses %s", async (_name, how) => {
    await expect(connect(urls.devices, how)).rejects.toThrow(/Not authorized|Bad username/);
  });

  it("refuses a device on the central processes' listener", async () => {
    await expect(connect(urls.central, { user: "line.device.0" })).rejects.toThrow(
      "Not authorized",
    );
  });

  it("refuses a client without TLS, and one that does not trust the authority is not fooled", async () => {
    const plain = urls.devices.replace("mqtts", "mqtt");
    await expect(connect(plain, { user: "line.device.0" })).rejects.toThrow();
    const { cert } = new Authority();
    await expect(connect(urls.devices, { user: "line.device.0", ca: cert })).rejects.toThrow(
      /certificate/,
    );
  });

  it("lets a device publish as itself alone", async () => {
    const central = await connect(urls.central, { user: "line.central" });
    const heard = hearing(central);
    await central.subscribeAsync([
      `${root}/+/latent/+`,
      `${root}/status/device/+`,
      `${root}/status/central/+`,
      `${root}/claim`,
    ]);
    const device = await connect(urls.devices, { user: "line.device.0" });
    for (const topic of [
      `${root}/0/latent/1`,
      `${root}/status/device/1`,
      `${root}/status/central/0-of-1`,
      `${root}/claim`,
      `${root}/0/latent/0`,
    ]) {
      await device.publishAsync(topic, "x", { qos: 1 });
    }
    // The last one is its own, and came after the others.
    await until(() => heard.includes(`${root}/0/latent/0`));
    expect(heard).toEqual([`${root}/0/latent/0`]);
  });

  it("lets a device hear its own acknowledgements alone", async () => {
    const central = await connect(urls.central, { user: "line.central" });
    const device = await connect(urls.devices, { user: "line.device.0" });
    const heard = hearing(device);
    // Mosquitto may grant a subscription and deliver nothing: what counts is what arrives.
    for (const filter of ["#", `${root}/+/ack/+`, `${root}/+/latent/+`, `${root}/+/ack/0`]) {
      await device.subscribeAsync(filter).catch(() => {});
    }
    for (const topic of [`${root}/0/ack/1`, `${root}/claim`, `${root}/0/ack/0`]) {
      await central.publishAsync(topic, "x", { qos: 1 });
    }
    await until(() => heard.includes(`${root}/0/ack/0`));
    expect([...new Set(heard)]).toEqual([`${root}/0/ack/0`]);
  });

  it("gives a device no last will in another's name", async () => {
    const central = await connect(urls.central, { user: "line.central" });
    const heard = hearing(central);
    await central.subscribeAsync(`${root}/status/device/+`);
    for (const topic of [`${root}/status/device/1`, `${root}/status/device/0`]) {
      const will = { topic, payload: Buffer.from("offline"), qos: 1 as const, retain: false };
      // An own will is delivered; the other is refused at once or never published.
      const device = await connect(urls.devices, { user: "line.device.0", will }).catch(
        () => undefined,
      );
      device?.stream.destroy();
    }
    await until(() => heard.length > 0);
    expect(heard).toEqual([`${root}/status/device/0`]);
  });

  it("keeps a device's session from others who take its client id", async () => {
    const zero = await connect(urls.devices, { user: "line.device.0", clientId: "shared" });
    const one = await connect(urls.devices, { user: "line.device.1", clientId: "shared" });
    await one.publishAsync(`${root}/0/latent/1`, "x", { qos: 1 });
    await zero.publishAsync(`${root}/0/latent/0`, "x", { qos: 1 });
    expect([zero.connected, one.connected]).toEqual([true, true]);
  });

  it("cuts off a packet longer than any frame's", async () => {
    const device = await connect(urls.devices, { user: "line.device.0" });
    const closed = new Promise<void>((resolve) => device.once("close", () => resolve()));
    device.publish(`${root}/0/latent/0`, Buffer.alloc(20_000), { qos: 1 }, () => {});
    await closed;
    await until(() => /oversize packet|too large|packet too large/i.test(daemon.output));
  });
});

function at(name: string): string {
  return join(folder, name);
}

/** Topics as they come in, less what an earlier test has left retained. */
function hearing(client: MqttClient): string[] {
  const heard: string[] = [];
  client.on("message", (topic, _payload, { retain }) => {
    if (!retain) heard.push(topic);
  });
  return heard;
}

interface How extends IClientOptions {
  /** Its name and token. */
  user?: string;
}

async function connect(url: string, { user, ...options }: How): Promise<MqttClient> {
  const credentials = user === undefined ? {} : { username: user, password: tokens[user]! };
  const settings = { reconnectPeriod: 0, ca: authority.cert, ...credentials, ...options };
  const client = mqtt.connect(url, settings);
  cleanups.push(() => client.endAsync(true));
  await new Promise<void>((resolve, reject) => {
    client.once("connect", () => resolve());
    client.once("close", () => reject(new Error("closed")));
    client.on("error", reject);
  });
  return client;
}
