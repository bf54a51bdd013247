/**
 * Who may do what on the broker. A device publishes its own latents, gap notices and status and hears
 * its own acknowledgements; a central process hears the latents, gaps and status of its survey and
 * publishes acknowledgements. Nobody reaches another survey.
 */
import {
  ACK_BYTES_MAX,
  ackFilter,
  centralClientPrefix,
  centralStatusFilter,
  claimTopic,
  deviceStatusFilter,
  deviceStatusTopic,
  edgeClientId,
  FRAME_BYTES_MAX,
  GAP_BYTES_MAX,
  type Identity,
  parseTopic,
  type Topic,
} from "../protocol/index.ts";

/** "online" or "offline", with room to spare. */
const STATUS_BYTES_MAX = 64;
const CLAIM_BYTES_MAX = 16_384;

export interface Publication {
  readonly topic: string;
  readonly retain: boolean;
  readonly bytes: number;
}

/** The topic filters of one user, for a broker's access list; `+` stands for one level. */
export interface Rights {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** What `identity` may do, as filters: what an access list of another broker can express. */
export function rightsOf(identity: Identity): Rights {
  const { survey } = identity;
  const root = `epic/v1/${survey}`;
  if (identity.role === "device") {
    const { device } = identity;
    return {
      publish: [
        `${root}/+/latent/${device}`,
        `${root}/+/gap/${device}`,
        deviceStatusTopic(survey, device),
      ],
      subscribe: [ackFilter(survey, device), centralStatusFilter(survey)],
    };
  }
  return {
    publish: [`${root}/+/ack/+`, centralStatusFilter(survey), claimTopic(survey)],
    subscribe: [
      `${root}/+/latent/+`,
      `${root}/+/gap/+`,
      deviceStatusFilter(survey),
      centralStatusFilter(survey),
      claimTopic(survey),
    ],
  };
}

/** Whether `identity` may take this client id: a second session under an id ends the first. */
export function mayConnectAs(identity: Identity, clientId: string): boolean {
  const { survey } = identity;
  return identity.role === "device"
    ? clientId === edgeClientId(survey, identity.device)
    : clientId.startsWith(centralClientPrefix(survey));
}

/** Stricter than the filters: also whole topic, size, and what the broker would have to keep. */
export function mayPublish(identity: Identity, { topic, retain, bytes }: Publication): boolean {
  const parsed = parseTopic(topic);
  if (parsed === undefined || parsed.survey !== identity.survey) return false;
  if (retain && !parsed.kind.endsWith("-status")) return false;
  return bytes <= bytesMax(parsed) && publishes(identity, parsed);
}

export function maySubscribe(identity: Identity, filter: string): boolean {
  return rightsOf(identity).subscribe.some((allowed) => filterCovers(allowed, filter));
}

/** Whether every topic that `inner` matches is matched by `outer`. `outer` has no `#`. */
export function filterCovers(outer: string, inner: string): boolean {
  const allowed = outer.split("/");
  const asked = inner.split("/");
  return (
    allowed.length === asked.length &&
    allowed.every((level, i) => level === asked[i] || (level === "+" && asked[i] !== "#"))
  );
}

function publishes(identity: Identity, topic: Topic): boolean {
  const ofDevice =
    topic.kind === "latent" || topic.kind === "gap" || topic.kind === "device-status";
  if (identity.role === "central") return !ofDevice;
  return ofDevice && topic.device === identity.device;
}

function bytesMax({ kind }: Topic): number {
  if (kind === "latent") return FRAME_BYTES_MAX;
  if (kind === "gap") return GAP_BYTES_MAX;
  if (kind === "ack") return ACK_BYTES_MAX;
  return kind === "claim" ? CLAIM_BYTES_MAX : STATUS_BYTES_MAX;
}
