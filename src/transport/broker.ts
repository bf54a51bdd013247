import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { Aedes, type Client } from "aedes";
import { FRAME_BYTES_MAX, FRAME_OVERHEAD_BYTES, parseLatentTopic } from "../protocol/index.ts";
import { type LinkBytes, LinkMeter } from "./meter.ts";
import { MeteredStream } from "./meteredStream.ts";

export interface BrokerOptions {
  /** Default 127.0.0.1: this broker has no access control, so opening it wider is a decision. */
  host?: string;
  /** 0 = any free port; default 1883. */
  port?: number;
  /** Longest MQTT packet taken from a client; default: room for a latent frame and its topic. */
  packetBytesMax?: number;
  connectionsMax?: number;
}

/** Frame, topic and packet fields, rounded up. */
const PACKET_BYTES_MAX = FRAME_BYTES_MAX + 1024;
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
  readonly #meters: Map<string, LinkMeter>;
  readonly #sockets: Set<Socket>;

  /** @throws Error of one line when the port cannot be had */
  static async start(options: BrokerOptions = {}): Promise<Broker> {
    const { host = "127.0.0.1", port = 1883, packetBytesMax = PACKET_BYTES_MAX } = options;
    const meters = new Map<string, LinkMeter>();
    const aedes = await Aedes.createBroker({
      preConnect: (_client, packet, done) => {
        // A persistent session's offline queue has no bound in this library, and the devices' own
        // outboxes make it pointless.
        packet.clean = true;
        done(null, true);
      },
    });
    aedes.on("client", (client) => streamOf(client).useMeter(meterOf(meters, client.id)));
    aedes.on("publish", ({ topic, payload }, client) => {
      if (client === null || parseLatentTopic(topic) === undefined) return;
      countFrame(meterOf(meters, client.id), payload.length);
    });
    const sockets = new Set<Socket>();
    const server = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      aedes.handle(new MeteredStream(socket, packetBytesMax));
    });
    server.maxConnections = options.connectionsMax ?? 1024;
    try {
      await listen(server, host, port);
    } catch (error) {
      await new Promise<void>((resolve) => aedes.close(resolve));
      throw error;
    }
    return new Broker(aedes, server, host, meters, sockets);
  }

  private constructor(
    aedes: Aedes,
    server: Server,
    host: string,
    meters: Map<string, LinkMeter>,
    sockets: Set<Socket>,
  ) {
    this.#aedes = aedes;
    this.#server = server;
    this.#meters = meters;
    this.#sockets = sockets;
    this.port = (server.address() as AddressInfo).port;
    this.url = `mqtt://${host.includes(":") ? `[${host}]` : host}:${this.port}`;
  }

  /** Traffic per client id, since the broker started. */
  bytes(): Map<string, LinkBytes> {
    return new Map(Array.from(this.#meters, ([id, meter]) => [id, meter.snapshot()]));
  }

  /** Clients connected now. */
  get clients(): number {
    return this.#aedes.connectedClients;
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

  /** Drops every connection and gives the port back. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await new Promise<void>((resolve) => this.#aedes.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
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
