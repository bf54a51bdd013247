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

/** The parts of a latent topic, or undefined when `topic` is none. */
export function parseLatentTopic(
  topic: string,
): { survey: string; shard: number; device: number } | undefined {
  const match = /^epic\/v1\/([a-z0-9-]{1,16})\/(\d{1,5})\/latent\/(\d{1,5})$/.exec(topic);
  if (match === null) return undefined;
  return { survey: match[1]!, shard: Number(match[2]), device: Number(match[3]) };
}

/** The shard of a record among `shards`. */
export function shardOf(record: bigint, shards: number): number {
  return Number(record % BigInt(shards));
}
