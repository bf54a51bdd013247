/**
 * MQTT topic names. `shard` is record id mod S: all frames of a record meet at the central process
 * that serves its shard. Device topics end in the device number, so that a broker's access list can
 * hold a device to its own topics.
 */
const ROOT = "epic/v1";

/** Latent frames of one device: device -> central. */
export function latentTopic(survey: string, shard: number, device: number): string {
  return `${ROOT}/${survey}/${shard}/latent/${device}`;
}

/** Every device's latent topic of one shard, for the central node's subscription. */
export function latentFilter(survey: string, shard: number): string {
  return `${ROOT}/${survey}/${shard}/latent/+`;
}

/** Application acknowledgements: central -> device. */
export function ackTopic(survey: string, shard: number, device: number): string {
  return `${ROOT}/${survey}/${shard}/ack/${device}`;
}

/** The acknowledgements of one device over all shards, for the device's subscription. */
export function ackFilter(survey: string, device: number): string {
  return `${ROOT}/${survey}/+/ack/${device}`;
}

/** Notices of records that a device can no longer send: device -> central. */
export function gapTopic(survey: string, shard: number, device: number): string {
  return `${ROOT}/${survey}/${shard}/gap/${device}`;
}

/** Every device's gap notices of one shard, for the central node's subscription. */
export function gapFilter(survey: string, shard: number): string {
  return `${ROOT}/${survey}/${shard}/gap/+`;
}

/** Retained status of a device: "online", or "offline" by last will. */
export function deviceStatusTopic(survey: string, device: number): string {
  return `${ROOT}/${survey}/status/device/${device}`;
}

/** Retained status of the central process that serves `served` of `shards` shards: `0-1-of-4`. */
export function centralStatusTopic(
  survey: string,
  served: readonly number[],
  shards: number,
): string {
  return `${ROOT}/${survey}/status/central/${served.join("-")}-of-${shards}`;
}

/** Status of every central process of a survey: a device resends when one comes online. */
export function centralStatusFilter(survey: string): string {
  return `${ROOT}/${survey}/status/central/+`;
}

/** Status of every device of a survey. */
export function deviceStatusFilter(survey: string): string {
  return `${ROOT}/${survey}/status/device/+`;
}

/** Where the central processes of a survey settle who serves which shard; never retained. */
export function claimTopic(survey: string): string {
  return `${ROOT}/${survey}/claim`;
}

/** A topic of this protocol, taken apart. */
export type Topic =
  | { kind: "latent" | "gap" | "ack"; survey: string; shard: number; device: number }
  | { kind: "device-status"; survey: string; device: number }
  | { kind: "central-status" | "claim"; survey: string };

/** What `topic` is, or undefined when it is none of this protocol's. Numbers have one spelling each. */
export function parseTopic(topic: string): Topic | undefined {
  const match = TOPIC.exec(topic);
  if (match === null) return undefined;
  const { survey = "", shard, kind, device, status, central } = match.groups ?? {};
  if (shard !== undefined) {
    if (Number(shard) > 0xffff || Number(device) > 0xffff) return undefined;
    return {
      kind: kind as "latent" | "gap" | "ack",
      survey,
      shard: Number(shard),
      device: Number(device),
    };
  }
  if (status !== undefined) {
    return Number(status) > 0xffff
      ? undefined
      : { kind: "device-status", survey, device: Number(status) };
  }
  return { kind: central === undefined ? "claim" : "central-status", survey };
}

const NUMBER = "(?:0|[1-9]\\d{0,4})";
const TOPIC = new RegExp(
  `^${ROOT}/(?<survey>[a-z0-9-]{1,16})/(?:` +
    `(?<shard>${NUMBER})/(?<kind>latent|gap|ack)/(?<device>${NUMBER})|` +
    `status/device/(?<status>${NUMBER})|` +
    "status/central/(?<central>[0-9-]{1,1024}-of-[0-9]{1,5})|" +
    "claim)$",
);

/** What the topic of a device's latents names. */
export interface DeviceTopic {
  survey: string;
  shard: number;
  device: number;
}

/** The parts of a latent topic, or undefined when `topic` is none. */
export function parseLatentTopic(topic: string): DeviceTopic | undefined {
  return parseDeviceTopic(topic, "latent");
}

/** The parts of a gap topic, or undefined when `topic` is none. */
export function parseGapTopic(topic: string): DeviceTopic | undefined {
  return parseDeviceTopic(topic, "gap");
}

function parseDeviceTopic(topic: string, kind: "latent" | "gap"): DeviceTopic | undefined {
  const parsed = parseTopic(topic);
  if (parsed?.kind !== kind) return undefined;
  const { survey, shard, device } = parsed;
  return { survey, shard, device };
}

/** The shard of a record among `shards`. */
export function shardOf(record: bigint, shards: number): number {
  return Number(record % BigInt(shards));
}
