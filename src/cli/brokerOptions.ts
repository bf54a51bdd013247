/** What `epic edge` and `epic central` share: the broker, the survey, and their checks. */
import type { Command } from "commander";
import { isSurveyId } from "../protocol/index.ts";
import { checkBrokerUrl } from "../transport/client.ts";
import { MisuseError } from "./common.ts";

export interface BrokerOptions {
  broker: string;
  survey: string;
}

export function addBrokerOptions(command: Command): Command {
  return command
    .requiredOption("--broker <url>", "MQTT broker, as mqtt://host:1883 or mqtts://host:8883", url)
    .requiredOption("--survey <id>", "name of the survey, 1-16 of a-z 0-9 -", surveyId)
    .addHelpText(
      "after",
      "\nUser name and password of the broker come from EPIC_MQTT_USERNAME and EPIC_MQTT_PASSWORD.",
    );
}

/** From the environment: a command line can be read by every user of the machine. */
export function brokerCredentials(): { username?: string; password?: string } {
  const { EPIC_MQTT_USERNAME: username, EPIC_MQTT_PASSWORD: password } = process.env;
  return { ...(username && { username }), ...(password && { password }) };
}

function url(text: string): string {
  try {
    checkBrokerUrl(text);
  } catch (error) {
    throw new MisuseError(`--${(error as Error).message}`);
  }
  return text;
}

function surveyId(text: string): string {
  if (!isSurveyId(text)) {
    throw new MisuseError(`--survey: expected 1-16 of a-z 0-9 -, got "${text}"`);
  }
  return text;
}
