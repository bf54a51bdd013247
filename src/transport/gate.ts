/** The embedded broker's access control: Aedes' hooks, answered from the user list. */
import type { AedesOptions, AuthenticateError, Client } from "aedes";
import type { Identity } from "../protocol/index.ts";
import { mayConnectAs, mayPublish, maySubscribe } from "./access.ts";
import type { RefusalReason, Refusals } from "./refusals.ts";
import type { Users } from "./users.ts";

/** CONNACK return codes of MQTT 3.1.1, table 3.1. */
const BAD_CREDENTIALS = 4;
const NOT_AUTHORISED = 5;

interface Session {
  readonly user: string;
  readonly identity: Identity;
}

interface Will {
  readonly topic: string;
  readonly payload?: string | Buffer;
  readonly retain?: boolean;
}

type Hooks = Required<
  Pick<AedesOptions, "preConnect" | "authenticate" | "authorizePublish" | "authorizeSubscribe">
>;

/** Lets in whom the user list knows, and holds each to its rights. Without a list all may do all. */
export class Gate {
  readonly #refusals: Refusals;
  #users: Users | undefined;
  /** Between CONNECT and its answer. */
  readonly #wills = new WeakMap<Client, Will>();
  readonly #sessions = new WeakMap<Client, Session>();

  constructor(users: Users | undefined, refusals: Refusals) {
    this.#users = users;
    this.#refusals = refusals;
  }

  /** The hooks; Aedes calls them without a receiver. */
  hooks(): Hooks {
    return {
      preConnect: (client, packet, done) => {
        // A persistent session's offline queue has no bound in this library, and the devices' own
        // outboxes make it pointless.
        packet.clean = true;
        if (packet.will !== undefined) this.#wills.set(client, packet.will as Will);
        done(null, true);
      },
      authenticate: (client, user, token, done) => {
        const refusal = this.#admit(client, user ?? "", token ?? new Uint8Array());
        if (refusal === undefined) return done(null, true);
        const error = new Error("not authorised") as AuthenticateError;
        error.returnCode = refusal === "credentials" ? BAD_CREDENTIALS : NOT_AUTHORISED;
        done(error, null);
      },
      authorizePublish: (client, { topic, payload, retain }, done) => {
        done(this.#publishes(client, { topic, payload, retain }) ? null : new RightsError());
      },
      authorizeSubscribe: (client, subscription, done) => {
        done(null, this.#subscribes(client, subscription.topic) ? subscription : null);
      },
    };
  }

  /** Uses another user list; true for the clients whose session may go on under it. */
  replace(users: Users): (client: Client) => boolean {
    const before = this.#users;
    this.#users = users;
    return (client) => {
      const session = this.#sessions.get(client);
      return session !== undefined && before?.agreesWith(users, session.user) === true;
    };
  }

  #admit(client: Client, user: string, token: Uint8Array): RefusalReason | undefined {
    if (this.#users === undefined) return undefined;
    const identity = this.#users.authenticate(user, token);
    const will = this.#wills.get(client);
    let reason: RefusalReason | undefined;
    if (identity === undefined) reason = "credentials";
    else if (!mayConnectAs(identity, client.id)) reason = "client-id";
    else if (will && !mayPublish(identity, publication(will))) reason = "will";
    else this.#sessions.set(client, { user, identity });
    if (reason !== undefined) {
      this.#refuse(client, reason, reason === "will" ? will?.topic : undefined, user);
    }
    return reason;
  }

  #publishes(client: Client | null, packet: Will): boolean {
    // The broker's own messages have no client.
    if (this.#users === undefined || client === null) return true;
    const session = this.#sessions.get(client);
    if (session && mayPublish(session.identity, publication(packet))) return true;
    this.#refuse(client, "publish", packet.topic);
    return false;
  }

  #subscribes(client: Client, filter: string): boolean {
    if (this.#users === undefined) return true;
    const session = this.#sessions.get(client);
    if (session && maySubscribe(session.identity, filter)) return true;
    this.#refuse(client, "subscribe", filter);
    return false;
  }

  #refuse(client: Client, reason: RefusalReason, detail?: string, user?: string): void {
    const name = user ?? this.#sessions.get(client)?.user;
    this.#refusals.add({
      reason,
      from: addressOf(client),
      ...(name !== undefined && { user: name }),
      ...(client.id && { clientId: client.id }),
      ...(detail !== undefined && { detail }),
    });
  }
}

/** A client published what it may not: counted by the gate already, and the end of its connection. */
export class RightsError extends Error {
  override readonly name = "RightsError";

  constructor() {
    super("publish: not authorised");
  }
}

/** Where a client's connection comes from. */
export function addressOf(client: Client): string {
  return (client.conn as { remoteAddress?: string }).remoteAddress ?? "unknown";
}

function publication({ topic, payload = "", retain = false }: Will) {
  return { topic, retain, bytes: Buffer.byteLength(payload) };
}
