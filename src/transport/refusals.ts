/** Why the broker turned something away. */
export type RefusalReason =
  /** No such user, or not its token. */
  | "credentials"
  /** Another user's client id. */
  | "client-id"
  /** A last will that the user may not publish. */
  | "will"
  | "publish"
  | "subscribe"
  /** A packet longer than allowed, known from its header. */
  | "packet-too-long"
  /** Bytes that are not MQTT 3.1.1, or no CONNECT in time. */
  | "malformed"
  /** A TLS handshake that failed: no TLS, an old version, no certificate of ours. */
  | "tls";

/** One connection or message that the broker turned away. */
export interface Refusal {
  readonly reason: RefusalReason;
  /** Address of the peer. */
  readonly from: string;
  /** As far as known then. */
  readonly user?: string;
  readonly clientId?: string;
  /** The topic, the filter, or the fault. */
  readonly detail?: string;
}

/** Counts refusals by reason and passes each on. */
export class Refusals {
  readonly #counts = new Map<RefusalReason, number>();
  readonly #onRefusal: (refusal: Refusal) => void;

  constructor(onRefusal: (refusal: Refusal) => void = () => {}) {
    this.#onRefusal = onRefusal;
  }

  add(refusal: Refusal): void {
    this.#counts.set(refusal.reason, (this.#counts.get(refusal.reason) ?? 0) + 1);
    this.#onRefusal(refusal);
  }

  counts(): Map<RefusalReason, number> {
    return new Map(this.#counts);
  }
}

/** One line; what a peer sent is quoted, cut and free of control characters. */
export function describeRefusal({ reason, from, user, clientId, detail }: Refusal): string {
  const parts = [
    user !== undefined && `user ${quoted(user)}`,
    clientId !== undefined && `client ${quoted(clientId)}`,
    detail !== undefined && quoted(detail),
  ];
  return [`refused ${reason} from ${from}`, ...parts.filter((part) => part !== false)].join(", ");
}

function quoted(text: string): string {
  const cut = text.length > 120 ? `${text.slice(0, 120)}...` : text;
  return JSON.stringify(cut);
}
