import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { LinkProfile } from "./links.ts";
import { type Channel, LinkShaper, SEGMENT_DATA_BYTES, SEGMENT_HEADER_BYTES } from "./shaper.ts";

/** Bytes that a modem holds before the sender has to wait. */
const QUEUE_BYTES_MAX = 256 * 1024;

/** Traffic of one device's link (estimate of docs/protocol.md "Bytes"). */
export interface ProxyBytes {
  /** TCP stream bytes, both ways: exact. */
  readonly mqtt: number;
  readonly up: number;
  readonly down: number;
}

export interface ProxyOptions {
  readonly link: LinkProfile;
  /** The channel of a shared medium; one of its own when absent. */
  readonly channel?: Channel;
  readonly random: () => number;
  /** Port of the broker on this machine. */
  readonly target: number;
}

/** One device's link: a TCP proxy in front of the broker that lets bytes through as the profile says. */
export class ShapingProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #counts: Counts;

  static async start(options: ProxyOptions): Promise<ShapingProxy> {
    const { link, random, target } = options;
    const shared = link.medium === "shared";
    const upChannel = options.channel ?? { freeAtMs: 0 };
    const downChannel = shared ? upChannel : { freeAtMs: 0 };
    const up = new LinkShaper(link.up, upChannel, random, link.outage);
    const down = new LinkShaper(link.down, downChannel, random, link.outage);
    const counts = { up: newCount(), down: newCount() };
    const sockets = new Set<Socket>();
    const server = createServer({ noDelay: true }, (device) => {
      const broker = connect({ port: target, host: "127.0.0.1", noDelay: true });
      for (const socket of [device, broker]) {
        sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => {
          sockets.delete(socket);
          (socket === device ? broker : device).destroy();
        });
      }
      carry(device, broker, up, counts.up);
      carry(broker, device, down, counts.down);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return new ShapingProxy(server, sockets, counts);
  }

  private constructor(server: Server, sockets: Set<Socket>, counts: Counts) {
    this.#server = server;
    this.#sockets = sockets;
    this.#counts = counts;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Since the start, connection set-up and pure acknowledgements (one for two segments) included. */
  bytes(): ProxyBytes {
    const { up, down } = this.#counts;
    const wire = (own: Count, other: Count) =>
      own.bytes + SEGMENT_HEADER_BYTES * (own.segments + other.segments / 2);
    return { mqtt: up.bytes + down.bytes, up: wire(up, down), down: wire(down, up) };
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

interface Count {
  bytes: number;
  segments: number;
}

interface Counts {
  readonly up: Count;
  readonly down: Count;
}

function newCount(): Count {
  return { bytes: 0, segments: 0 };
}

/** Moves what `from` sends to `to`, each segment at its time. */
function carry(from: Socket, to: Socket, shaper: LinkShaper, count: Count): void {
  const queue: { atMs: number; data: Buffer }[] = [];
  let queuedBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const deliver = () => {
    timer = undefined;
    const now = performance.now();
    while (queue.length > 0 && queue[0]!.atMs <= now) {
      const { data } = queue.shift()!;
      queuedBytes -= data.length;
      if (!to.destroyed) to.write(data);
    }
    if (queuedBytes < QUEUE_BYTES_MAX) from.resume();
    if (queue.length > 0) timer = setTimeout(deliver, Math.max(0, queue[0]!.atMs - now));
  };
  from.on("data", (chunk: Buffer) => {
    const now = performance.now();
    const segments = Math.ceil(chunk.length / SEGMENT_DATA_BYTES);
    count.bytes += chunk.length;
    count.segments += segments;
    for (let i = 0; i < segments; i++) {
      const data = chunk.subarray(i * SEGMENT_DATA_BYTES, (i + 1) * SEGMENT_DATA_BYTES);
      queue.push({ atMs: shaper.send(data.length, now, segments - 1 - i), data });
    }
    queuedBytes += chunk.length;
    if (queuedBytes >= QUEUE_BYTES_MAX) from.pause();
    timer ??= setTimeout(deliver, Math.max(0, queue[0]!.atMs - now));
  });
  from.on("end", () => setTimeout(() => to.end(), Math.max(0, lastOf(queue) - performance.now())));
  from.on("close", () => clearTimeout(timer));
}

function lastOf(queue: readonly { atMs: number }[]): number {
  return queue.at(-1)?.atMs ?? 0;
}
