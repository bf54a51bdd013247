/**
 * Who takes part, by name. A user name says what its bearer is, so that a broker can derive its
 * rights from it: `{survey}.device.{device}` or `{survey}.central`. No survey id has a dot.
 */
import { isSurveyId } from "./frame.ts";

/** Who a client is: a device of a survey, or a survey's central node. */
export type Identity =
  | { readonly role: "device"; readonly survey: string; readonly device: number }
  | { readonly role: "central"; readonly survey: string };

/** The name to log in with: `{survey}.device.{i}` or `{survey}.central`. */
export function userName(identity: Identity): string {
  return identity.role === "device"
    ? `${identity.survey}.device.${identity.device}`
    : `${identity.survey}.central`;
}

/** The identity behind a user name, or undefined when it is none of ours. */
export function parseUserName(name: string): Identity | undefined {
  const match = /^([a-z0-9-]+)\.(?:(central)|device\.(0|[1-9]\d{0,4}))$/.exec(name);
  const survey = match?.[1];
  if (match === null || survey === undefined || !isSurveyId(survey)) return undefined;
  if (match[2] !== undefined) return { role: "central", survey };
  const device = Number(match[3]);
  return device <= 0xffff ? { role: "device", survey, device } : undefined;
}

/** The MQTT client id of a device, under which the broker counts its bytes. */
export function edgeClientId(survey: string, device: number): string {
  return `epic-${survey}-edge-${device}`;
}

/** What the client ids of a survey's central processes begin with. */
export function centralClientPrefix(survey: string): string {
  return `epic-${survey}-central-`;
}

/** The MQTT client id of the central process that serves `served` of `shards` shards. */
export function centralClientId(survey: string, served: readonly number[], shards: number): string {
  return `${centralClientPrefix(survey)}${served.join("-")}-of-${shards}`;
}
