/** What `epic edge` and `epic central` share: the broker, the survey, and their checks. */
import type { Command } from "commander";
import { type Identity, isSurveyId, userName } from "../protocol/index.ts";
import { checkBrokerUrl, type LinkTls, type MqttLinkOptions } from "../transport/client.ts";
import { MisuseError } from "./common.ts";
import { readPem, readToken } from "./secretFiles.ts";

export interface BrokerOptions {
  broker: string[];
  survey: string;
  username?: string;
  tokenFile?: string;
  tlsCa?: string;
  tlsCert?: string;
  tlsKey?: string;
}

export function addBrokerOptions(command: Command): Command {
  return command
    .requiredOption(
      "--broker <urls>",
      "MQTT broker, as mqtt://host:1883 or mqtts://host:8883; commas between a cluster's nodes",
      urls,
    )
    .requiredOption("--survey <id>", "name of the survey, 1-16 of a-z 0-9 -", surveyId)
    .option(
      "--username <name>",
      "user at the broker (default with a token: SURVEY.device.N or .central)",
    )
    .option("--token-file <file>", "file with the user's token; keep its mode at 600")
    .option("--tls-ca <file>", "PEM: authority of the broker's certificate (default: the system's)")
    .option("--tls-cert <file>", "PEM: certificate to show to a broker that asks for one")
    .option("--tls-key <file>", "PEM: its key")
    .addHelpText(
      "after",
      "\nUser name and token may also come from EPIC_MQTT_USERNAME and EPIC_MQTT_PASSWORD.",
    );
}

/** How to get at the broker as `identity`, from the options, else from the environment. */
export async function brokerAccess(
  options: BrokerOptions,
  identity: Identity,
): Promise<Pick<MqttLinkOptions, "url" | "username" | "password" | "tls">> {
  const { broker, tokenFile } = options;
  const { EPIC_MQTT_USERNAME, EPIC_MQTT_PASSWORD } = process.env;
  const password = tokenFile ? await readToken(tokenFile, "--token-file") : EPIC_MQTT_PASSWORD;
  const named = options.username ?? EPIC_MQTT_USERNAME;
  const username = named || (password ? userName(identity) : undefined);
  const plain = broker.find((url) => !/^(mqtts|ssl|wss):/.test(url));
  if (password && plain !== undefined && !isLoopback(plain)) {
    process.stderr.write(`epic: --broker: the token goes to ${plain} unencrypted; use mqtts://\n`);
  }
  const tls = await linkTls(options, plain);
  return {
    url: broker,
    ...(username && { username }),
    ...(password && { password }),
    ...(tls && { tls }),
  };
}

async function linkTls(
  options: BrokerOptions,
  plain: string | undefined,
): Promise<LinkTls | undefined> {
  const { tlsCa, tlsCert, tlsKey } = options;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new MisuseError("--tls-cert: expected --tls-key with it, and the other way round");
  }
  if (tlsCa === undefined && tlsCert === undefined) return undefined;
  if (plain !== undefined) {
    throw new MisuseError(`--broker: expected mqtts:// with --tls-ca or --tls-cert, got ${plain}`);
  }
  return {
    ...(tlsCa && { ca: await readPem(tlsCa, "--tls-ca") }),
    ...(tlsCert && { cert: await readPem(tlsCert, "--tls-cert") }),
    ...(tlsKey && { key: await readPem(tlsKey, "--tls-key", true) }),
  };
}

function isLoopback(url: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);
}

function urls(text: string): string[] {
  const list = text.split(",");
  try {
    for (const url of list) checkBrokerUrl(url);
  } catch (error) {
    throw new MisuseError(`--${(error as Error).message}`);
  }
  return list;
}

function surveyId(text: string): string {
  if (!isSurveyId(text)) {
    throw new MisuseError(`--survey: expected 1-16 of a-z 0-9 -, got "${text}"`);
  }
  return text;
}
