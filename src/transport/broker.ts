import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { Aedes, type Client } from "aedes";
import { FRAME_BYTES_MAX, FRAME_OVERHEAD_BYTES, parseLatentTopic } from "../protocol/index.ts";
import { addressOf, Gate, RightsError } from "./gate.ts";
import { type LinkBytes, LinkMeter } from "./meter.ts";
import { MeteredStream, PacketTooLongError } from "./meteredStream.ts";
import { type Refusal, type RefusalReason, Refusals } from "./refusals.ts";
import type { Users } from "./users.ts";

/** PEM texts. */
export interface BrokerTls {
  cert: string;
  key: string;
  /** When given, clients must show a certificate signed by it. */
  ca?: string;
}

/** What `Broker.start` may be told. */
export interface BrokerOptions {
  /** Default 127.0.0.1: opening the broker wider is a decision. */
  host?: string;
  /** 0 = any free port; default 1883. */
  port?: number;
  /** Longest MQTT packet taken from a client; default: room for a latent frame and its topic. */
  packetBytesMax?: number;
  /** Default 1024. */
  connectionsMax?: number;
  tls?: BrokerTls;
  /** Who may connect, each held to its own topics. Without it anyone may do anything. */
  users?: Users;
  /** Called with everything turned away. */
  onRefusal?: (refusal: Refusal) => void;
}

/** Frame, topic and packet fields, rounded up. */
const PACKET_BYTES_MAX = FRAME_BYTES_MAX + 1024;
/** What a client may send before it is known: a CONNECT with its will, user name and token. */
const CONNECT_BYTES_MAX = 2048;
/** For the TLS handshake, and again for the CONNECT. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Clients counted by name; what comes after shares one entry, so that names cannot fill memory. */
const METERS_MAX = 4096;

/**
 * An MQTT 3.1.1 broker in this process. It keeps nothing on disk and no session beyond its
 * connection: delivery is the outbox's and the application acknowledgement's job.
 */
export class Broker {
  readonly url: string;
  readonly port: number;
  readonly #aedes: Aedes;
  readonly #server: Server;
  readonly #gate: Gate;
  readonly #refusals: Refusals;
  readonly #meters = new Map<string, LinkMeter>();
  readonly #sockets = new Set<Socket>();
  /** Clients that are known; those of the same client id replace each other in here too. */
  readonly #clients = new Set<Client>();

  /** @throws Error of one line when the port cannot be had, or a certificate or key is none */
  static async start(options: BrokerOptions = {}): Promise<Broker> {
    const { host = "127.0.0.1", port = 1883 } = options;
    const refusals = new Refusals(options.onRefusal);
    const gate = new Gate(options.users, refusals);
    const server = createServerFor(options.tls);
    const aedes = await Aedes.createBroker({
      ...gate.hooks(),
      connectTimeout: CONNECT_TIMEOUT_MS,
    });
    try {
      await listen(server, host, port);
    } catch (error) {
      await new Promise<void>((resolve) => aedes.close(resolve));
      throw error;
    }
    return new Broker(aedes, server, gate, refusals, options);
  }

  private constructor(
    aedes: Aedes,
    server: Server,
    gate: Gate,
    refusals: Refusals,
    options: BrokerOptions,
  ) {
    this.#aedes = aedes;
    this.#server = server;
    this.#gate = gate;
    this.#refusals = refusals;
    const { host = "127.0.0.1", users, tls } = options;
    const { packetBytesMax = PACKET_BYTES_MAX, connectionsMax = 1024 } = options;
    const scheme = tls === undefined ? "mqtt" : "mqtts";
    this.port = (server.address() as AddressInfo).port;
    this.url = `${scheme}://${host.includes(":") ? `[${host}]` : host}:${this.port}`;
    const firstBytesMax = users ? Math.min(packetBytesMax, CONNECT_BYTES_MAX) : packetBytesMax;
    server.maxConnections = connectionsMax;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) => {
      aedes.handle(new MeteredStream(socket, firstBytesMax));
    });
    server.on("tlsClientError", (error: Error, socket: Socket) => {
      const from = socket.remoteAddress ?? "unknown";
      refusals.add({ reason: "tls", from, detail: error.message });
    });
    aedes.on("client", (client) => {
      this.#clients.add(client);
      streamOf(client).limitPackets(packetBytesMax);
      streamOf(client).useMeter(meterOf(this.#meters, client.id));
    });
    aedes.on("clientDisconnect", (client) => this.#clients.delete(client));
    aedes.on("clientError", (client, error) => this.#failed(client, error));
    aedes.on("connectionError", (client, error) => this.#failed(client, error));
    aedes.on("publish", ({ topic, payload }, client) => {
      if (client === null || parseLatentTopic(topic) === undefined) return;
      countFrame(meterOf(this.#meters, client.id), payload.length);
    });
  }

  /** Traffic per client id, since the broker started. */
  bytes(): Map<string, LinkBytes> {
    return new Map(Array.from(this.#meters, ([id, meter]) => [id, meter.snapshot()]));
  }

  /** Clients connected now. */
  get clients(): number {
    return this.#aedes.connectedClients;
  }

  /** What was turned away since the start, by reason. */
  refusals(): Map<RefusalReason, number> {
    return this.#refusals.counts();
  }

  /** Takes another user list, and ends the sessions of users that it lacks or gives a new token. */
  replaceUsers(users: Users): void {
    const goesOn = this.#gate.replace(users);
    for (const client of this.#clients) if (!goesOn(client)) client.close();
  }

  /**
   * Calls `handler` with each message published under `filter`. For what runs in the broker's own
   * process: nothing passes a socket.
   */
  tap(filter: string, handler: (topic: string, payload: Uint8Array) => void): void {
    this.#aedes.subscribe(
      filter,
      (packet, done) => {
        handler(packet.topic, packet.payload as Uint8Array);
        done();
      },
      () => {},
    );
  }

  #failed(client: Client, error: Error): void {
    // The gate has counted its own; a lost connection is no refusal.
    if (error instanceof RightsError || "errorCode" in error) return;
    const tooLong = error instanceof PacketTooLongError;
    if (!tooLong && ("code" in error || /keep ?alive timeout|drain timeout/.test(error.message)))
      return;
    this.#refusals.add({
      reason: tooLong ? "packet-too-long" : "malformed",
      from: addressOf(client),
      ...(client.id && { clientId: client.id }),
      detail: error.message,
    });
  }

  /** Drops every connection and gives the port back. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await new Promise<void>((resolve) => this.#aedes.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

function createServerFor(tls: BrokerTls | undefined): Server {
  if (tls === undefined) return createServer({ noDelay: true });
  const options: TlsOptions & { noDelay: boolean } = {
    ...tls,
    requestCert: tls.ca !== undefined,
    rejectUnauthorized: tls.ca !== undefined,
    minVersion: "TLSv1.2",
    handshakeTimeout: CONNECT_TIMEOUT_MS,
    noDelay: true,
  };
  try {
    return createTlsServer(options);
  } catch (error) {
    throw new Error(`tls: expected a PEM certificate and its key, got ${(error as Error).message}`);
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(new Error(`broker: expected a free port, got ${describe(error, host, port)}`));
    });
    server.listen(port, host, resolve);
  });
}

function describe(error: NodeJS.ErrnoException, host: string, port: number): string {
  const reasons: Record<string, string> = {
    EADDRINUSE: "already in use",
    EACCES: "permission denied",
    EADDRNOTAVAIL: "no such address on this machine",
    ENOTFOUND: "unknown host",
  };
  return `${host}:${port} (${reasons[error.code ?? ""] ?? error.message})`;
}

function streamOf(client: Client): MeteredStream {
  return client.conn as unknown as MeteredStream;
}

function meterOf(meters: Map<string, LinkMeter>, clientId: string): LinkMeter {
  const id = meters.has(clientId) || meters.size < METERS_MAX ? clientId : "(others)";
  let meter = meters.get(id);
  if (meter === undefined) {
    meter = new LinkMeter();
    meters.set(id, meter);
  }
  return meter;
}

function countFrame(meter: LinkMeter, bytes: number): void {
  meter.frameCount++;
  meter.frames += bytes;
  meter.payload += Math.max(0, bytes - FRAME_OVERHEAD_BYTES);
}
