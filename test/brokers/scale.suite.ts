/** Two central processes by shard on one broker: the embedded one, Mosquitto, and a NATS cluster that loses a node. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import mqtt from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import { Broker } from "../../src/transport/index.ts";
import type { Running } from "../cli/processes.ts";
import { Daemon, freePorts } from "./daemon.ts";
import { findBroker } from "./findBroker.ts";
import { report, Survey, until } from "./survey.ts";

const RECORDS = Number(process.env.EPIC_BROKER_RECORDS ?? 60);
const mosquitto = findBroker("mosquitto");
const natsServer = findBroker("nats-server");
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe("the embedded broker", () => {
  it("serves two central processes by shard, and each record counts once", async () => {
    const broker = await Broker.start({ port: 0 });
    cleanups.push(() => broker.close());
    await twoCentrals([broker.url]);
  });
});

describe.skipIf(mosquitto === undefined)("Mosquitto", () => {
  it("serves two central processes by shard, and each record counts once", async () => {
    const folder = await scratchFolder();
    const [port] = await freePorts(1);
    const conf = join(folder, "mosquitto.conf");
    await writeFile(conf, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n`);
    const daemon = new Daemon(mosquitto!, ["-c", conf]);
    cleanups.push(() => daemon.kill());
    const url = `mqtt://127.0.0.1:${port}`;
    await answers(url, daemon);
    await twoCentrals([url]);
  });
});

describe.skipIf(natsServer === undefined)("a NATS JetStream cluster of three", () => {
  it("serves two central processes by shard, and each record counts once", async () => {
    const { urls } = await cluster();
    await twoCentrals(urls);
  });

  // QoS 1 has JetStream store each frame, QoS 0 passes it on.
  it.each(["0", "1"])("loses nothing when a node is killed under load, at QoS %s", async (qos) => {
    const { urls, nodes } = await cluster();
    const killOne = async (survey: Survey, running: Running[]) => {
      await until(() => survey.commits(...running).size >= RECORDS / 4);
      await nodes[0]!.kill("SIGKILL");
    };
    const { centrals } = await twoCentrals(urls, killOne, qos);
    // Somebody was connected to the node that died, or this has shown nothing.
    const lost = centrals.filter(({ stderr }) =>
      stderr().includes(`connection to ${urls[0]} lost`),
    );
    expect(lost.length).toBeGreaterThan(0);
  });
});

/**
 * Devices and two central processes over the given nodes, each beginning with another one, from the
 * first record to the last acknowledgement.
 * @param meanwhile what happens to them
 * @param qos of the frames' publications
 */
async function twoCentrals(
  urls: readonly string[],
  meanwhile: (survey: Survey, centrals: Running[]) => Promise<void> = async () => {},
  qos = "0",
): Promise<{ centrals: Running[] }> {
  const survey = await Survey.create();
  cleanups.push(() => survey.dispose());
  const from = (node: number) => urls.map((_, i) => urls[(i + node) % urls.length]!);
  const claimWait = ["--claim-wait", "5000"];
  const centrals = [
    await survey.serving(from(0), "0/2", claimWait),
    await survey.serving(from(1), "1/2", claimWait),
  ];
  const refused = await survey.central(from(2), "1/2", claimWait).ended;
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(
    /^epic: --shards: expected shard 1 of 2 of survey line unclaimed/m,
  );

  const more = ["--shards", "2", "--ack-timeout", "3000", "--qos", qos];
  const devices = Array.from({ length: survey.devices }, (_, device) => device);
  const edges = await Promise.all(
    devices.map((device) => survey.edge(from(device), device, RECORDS, more)),
  );
  await meanwhile(survey, centrals);
  for (const { ended } of edges) {
    expect(report(await ended)).toMatchObject({ acknowledged: RECORDS, waiting: 0 });
  }
  const records = Array.from({ length: RECORDS }, (_, i) => i + 1);
  for (const shard of [0, 1]) {
    const own = records.filter((record) => record % 2 === shard);
    const expected = new Map(own.map((record) => [`${record}`, devices]));
    expect(await survey.results(shard)).toEqual(expected);
  }
  const commits = survey.commits(...centrals);
  expect([...commits.values()]).toEqual(records.map(() => 1));
  return { centrals };
}

/** Three nodes in one cluster, with MQTT. */
async function cluster(): Promise<{ urls: string[]; nodes: Daemon[] }> {
  const folder = await scratchFolder();
  const ports = await freePorts(9);
  const config = fileURLToPath(new URL("../../docs/nats/epic.conf", import.meta.url));
  const routes = [3, 4, 5].map((i) => `nats://127.0.0.1:${ports[i]}`);
  const nodes = [0, 1, 2].map((i) => {
    const self = ["--name", `node-${i}`, "--addr", "127.0.0.1", "--port", `${ports[i]}`];
    const mesh = ["--cluster_name", "epic", "--cluster", routes[i]!, "--routes", routes.join(",")];
    return new Daemon(natsServer!, ["--config", config, ...self, ...mesh], {
      EPIC_NATS_STORE: join(folder, `node-${i}`),
      EPIC_NATS_MQTT_PORT: `${ports[6 + i]}`,
    });
  });
  for (const node of nodes) cleanups.push(() => node.kill());
  const urls = [6, 7, 8].map((i) => `mqtt://127.0.0.1:${ports[i]}`);
  for (const [i, url] of urls.entries()) await answers(url, nodes[i]!);
  return { urls, nodes };
}

/** Resolves when the broker keeps a message: a cluster must have elected its leaders for that. */
async function answers(url: string, daemon: Daemon): Promise<void> {
  await until(async () => {
    const client = mqtt.connect(url, { reconnectPeriod: 0, connectTimeout: 5000 });
    try {
      await new Promise<void>((resolve, reject) => {
        client.once("connect", () => resolve());
        client.once("close", () => reject(new Error("closed")));
        client.on("error", reject);
      });
      await client.subscribeAsync("ready", { qos: 1 });
      await client.publishAsync("ready", "yes", { qos: 1 });
      return true;
    } catch (error) {
      if (/address already in use|permission denied/i.test(daemon.output)) throw error;
      return false;
    } finally {
      await client.endAsync(true);
    }
  });
}

async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "epic-brokers-"));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
