/** `epic broker`: the embedded MQTT broker on its own, and its user file. */
import { unwatchFile, watchFile } from "node:fs";
import { Command } from "commander";
import { Broker, type BrokerTls } from "../transport/broker.ts";
import { describeRefusal, type Refusal } from "../transport/refusals.ts";
import { Users } from "../transport/users.ts";
import { editUsers, type UserEdits } from "./brokerUsers.ts";
import {
  action,
  addJsonOption,
  describeError,
  type JsonOptions,
  MisuseError,
  parseIntOption,
  printJson,
} from "./common.ts";
import { aborted, stopSignal } from "./lifetime.ts";
import { readPem } from "./secretFiles.ts";

interface Options extends JsonOptions, UserEdits {
  host: string;
  port: number;
  connectionsMax: number;
  tlsCert?: string;
  tlsKey?: string;
  tlsCa?: string;
}

/** How often the user file is looked at. */
const WATCH_MS = 1000;
/** Refusals told one by one in a second; a flood of them must not fill the log. */
const TOLD_MAX = 10;

export function brokerCommand(): Command {
  const command = new Command("broker")
    .description(
      "Run the embedded MQTT 3.1.1 broker until a signal ends it. It keeps nothing on disk. Without\n" +
        "--users anyone may do anything: for tests and closed networks. With it each device is held to\n" +
        "its own topics. --add-user, --remove-user and --mosquitto work on the user file and end.",
    )
    .option("--port <n>", "TCP port; 0 = any free one", parseIntOption("--port", 0, 65535), 1883)
    .option("--host <address>", "address to listen at", "127.0.0.1")
    .option(
      "--connections-max <n>",
      "connections at once",
      parseIntOption("--connections-max", 1, 1_000_000),
      1024,
    )
    .option("--tls-cert <file>", "PEM: certificate of the broker; it then speaks TLS alone")
    .option("--tls-key <file>", "PEM: its key")
    .option("--tls-ca <file>", "PEM: authority that clients' certificates must be signed by")
    .option("--users <file>", "user file; read again when it changes")
    .option(
      "--add-user <name>",
      "give SURVEY.device.N or SURVEY.central a fresh token, and print it",
    )
    .option(
      "--token-file <file>",
      "with --add-user: write the token there (mode 600), not to stdout",
    )
    .option("--remove-user <name>", "take a user out of the file")
    .option("--mosquitto <dir>", "write the users' rights as Mosquitto's password and ACL files");
  return addJsonOption(command).action(action(broker));
}

async function broker(options: Options): Promise<void> {
  if (await editUsers(options)) return;
  const stop = stopSignal();
  const { host, port, connectionsMax, users: userFile } = options;
  const tls = await brokerTls(options);
  const users = userFile === undefined ? undefined : await Users.read(userFile);
  const running = await Broker.start({
    host,
    port,
    connectionsMax,
    onRefusal: refusalLog(),
    ...(tls && { tls }),
    ...(users && { users }),
  });
  if (users !== undefined && tls === undefined && host !== "127.0.0.1") {
    say(`tokens reach ${host} unencrypted; give --tls-cert and --tls-key`);
  }
  if (userFile !== undefined) watchUsers(userFile, running);
  // At once, so that a script can start devices with it.
  if (options.json) printJson({ url: running.url, host, port: running.port });
  else process.stdout.write(`${running.url}\n`);
  await aborted(stop);
  if (userFile !== undefined) unwatchFile(userFile);
  report(running);
  await running.close();
}

function report(running: Broker): void {
  for (const [client, bytes] of running.bytes()) {
    say(
      `${client}: ${bytes.frameCount} frames, ${bytes.payload} B latents, ` +
        `${bytes.mqttIn + bytes.mqttOut} B MQTT, about ${bytes.wire} B on the wire`,
    );
  }
  for (const [reason, count] of running.refusals()) say(`refused ${reason}: ${count}`);
}

async function brokerTls({ tlsCert, tlsKey, tlsCa }: Options): Promise<BrokerTls | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) {
    if (tlsCa === undefined) return undefined;
    throw new MisuseError("--tls-ca: expected --tls-cert and --tls-key with it");
  }
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new MisuseError("--tls-cert: expected --tls-key with it, and the other way round");
  }
  return {
    cert: await readPem(tlsCert, "--tls-cert"),
    key: await readPem(tlsKey, "--tls-key", true),
    ...(tlsCa && { ca: await readPem(tlsCa, "--tls-ca") }),
  };
}

/** Takes a changed user file; one that cannot be read changes nothing. */
function watchUsers(path: string, running: Broker): void {
  watchFile(path, { interval: WATCH_MS }, () => {
    Users.read(path).then(
      (users) => {
        running.replaceUsers(users);
        say(`${path}: ${users.names.length} users`);
      },
      (error) => say(`${describeError(error)}; the users stay as they were`),
    );
  });
}

/** Tells each refusal on stderr, up to a rate; beyond it, how many there were. */
function refusalLog(): (refusal: Refusal) => void {
  let second = 0;
  let told = 0;
  let untold = 0;
  return (refusal) => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) {
      if (untold > 0) say(`refused ${untold} more`);
      second = now;
      told = untold = 0;
    }
    if (told++ < TOLD_MAX) say(describeRefusal(refusal));
    else untold++;
  };
}

function say(text: string): void {
  process.stderr.write(`broker: ${text}\n`);
}
