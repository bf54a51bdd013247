/** What stands between the devices and the broker: a link that can be cut, lossy, or bumpy. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { Random } from "./random.ts";

/** Chances, 0 to 1, for each MQTT message in either direction. */
export interface Mischief {
  readonly lose?: number;
  readonly duplicate?: number;
  /** Held back until later ones have passed. */
  readonly reorder?: number;
  /** One bit of the payload flipped. */
  readonly alter?: number;
}

/** Chances for each piece of the TCP streams; a lost segment is a pause until it is sent again. */
export interface Loss {
  readonly stall?: number;
  readonly reset?: number;
}

const REORDER_MS = 300;

export class Relay {
  mischief: Mischief = {};
  loss: Loss = {};
  readonly counts = { lost: 0, duplicated: 0, reordered: 0, altered: 0, stalled: 0, reset: 0 };
  /** For the devices. */
  readonly url: string;
  /** Of the broker; may change when that starts anew. */
  target: number;
  readonly #server: Server;
  readonly #random: Random;
  readonly #pipes = new Set<Pipe>();
  #state: "open" | "cut" | "silent" = "open";

  static async start(target: number, random: Random, host = "127.0.0.1"): Promise<Relay> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    return new Relay(server, target, random);
  }

  private constructor(server: Server, target: number, random: Random) {
    this.#server = server;
    this.#random = random;
    this.target = target;
    const { address, port } = server.address() as AddressInfo;
    this.url = `mqtt://${address}:${port}`;
    server.on("connection", (device) => this.#accept(device));
  }

  /** Connections break and none comes about. */
  cut(): void {
    this.#state = "cut";
    for (const pipe of this.#pipes) pipe.destroy();
  }

  /** Nothing passes, and nobody is told: the radio is out of reach. */
  silence(): void {
    this.#state = "silent";
    for (const pipe of this.#pipes) pipe.pause();
  }

  open(): void {
    this.#state = "open";
    for (const pipe of this.#pipes) pipe.resume();
  }

  async close(): Promise<void> {
    for (const pipe of this.#pipes) pipe.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(device: Socket): void {
    if (this.#state === "cut") {
      device.destroy();
      return;
    }
    const broker = connect({ port: this.target, host: "127.0.0.1", noDelay: true });
    const pair = [new Pipe(device, broker, this), new Pipe(broker, device, this)];
    const done = () => {
      for (const pipe of pair) {
        pipe.destroy();
        this.#pipes.delete(pipe);
      }
    };
    for (const socket of [device, broker]) socket.on("error", done).on("close", done);
    for (const pipe of pair) {
      this.#pipes.add(pipe);
      if (this.#state === "silent") pipe.pause();
    }
  }

  /** True with this chance; counts what happens. */
  happens(what: keyof Relay["counts"], chance = 0): boolean {
    const hit = this.#random(0, 999_999) < chance * 1e6;
    if (hit) this.counts[what]++;
    return hit;
  }

  /** A whole number from `low` to `high`. */
  draw(low: number, high: number): number {
    return this.#random(low, high);
  }
}

/** One direction of one connection, MQTT packet by MQTT packet. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #relay: Relay;
  #rest: Buffer = Buffer.alloc(0);
  #held: Buffer | undefined;
  #chain: Promise<void> = Promise.resolve();

  constructor(from: Socket, to: Socket, relay: Relay) {
    this.#from = from;
    this.#to = to;
    this.#relay = relay;
    from.on("data", (chunk: Buffer) => this.#receive(chunk));
  }

  pause(): void {
    this.#from.pause();
  }

  resume(): void {
    this.#from.resume();
  }

  destroy(): void {
    this.#from.destroy();
    this.#to.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const { stall, reset } = this.#relay.loss;
    if (this.#relay.happens("reset", reset)) {
      this.destroy();
      return;
    }
    if (this.#relay.happens("stalled", stall)) {
      const ms = this.#relay.draw(200, 1000);
      this.#chain = this.#chain.then(() => new Promise((resolve) => setTimeout(resolve, ms)));
    }
    for (let packet = this.#next(); packet !== undefined; packet = this.#next()) {
      this.#send(packet);
    }
  }

  /** The next whole packet received. */
  #next(): Buffer | undefined {
    let length = 0;
    for (let at = 1; at < Math.min(5, this.#rest.length); at++) {
      const byte = this.#rest[at]!;
      length += (byte & 127) * 2 ** (7 * (at - 1));
      if (byte < 128) {
        const end = at + 1 + length;
        if (this.#rest.length < end) return undefined;
        const packet = this.#rest.subarray(0, end);
        this.#rest = this.#rest.subarray(end);
        return packet;
      }
    }
    return undefined;
  }

  #send(packet: Buffer): void {
    const { lose, duplicate, reorder, alter } = this.#relay.mischief;
    const isMessage = packet[0]! >> 4 === 3 && !isStatus(packet);
    if (!isMessage) {
      this.#write(packet);
      return;
    }
    if (this.#relay.happens("lost", lose)) return;
    const sent = this.#relay.happens("altered", alter) ? this.#altered(packet) : packet;
    if (this.#held === undefined && this.#relay.happens("reordered", reorder)) {
      this.#held = sent;
      setTimeout(() => this.#release(), REORDER_MS);
      return;
    }
    this.#write(sent);
    if (this.#relay.happens("duplicated", duplicate)) this.#write(sent);
    this.#release();
  }

  #release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#write(held);
  }

  #write(packet: Buffer): void {
    this.#chain = this.#chain.then(() => {
      if (!this.#to.destroyed) this.#to.write(packet);
    });
  }

  #altered(packet: Buffer): Buffer {
    const copy = Buffer.from(packet);
    const at = this.#relay.draw(payloadStart(packet), copy.length - 1);
    copy[at]! ^= 1 << this.#relay.draw(0, 7);
    return copy;
  }
}

/** Position of the topic's length in a PUBLISH packet. */
function topicStart(packet: Buffer): number {
  let at = 1;
  while (packet[at]! >= 128) at++;
  return at + 1;
}

function payloadStart(packet: Buffer): number {
  const topic = topicStart(packet);
  const packetIdBytes = (packet[0]! & 6) === 0 ? 0 : 2;
  return topic + 2 + packet.readUInt16BE(topic) + packetIdBytes;
}

/** Status and claims are the state of the connection, not messages that are sent again. */
function isStatus(packet: Buffer): boolean {
  const start = topicStart(packet) + 2;
  const topic = packet.toString("latin1", start, start + packet.readUInt16BE(start - 2));
  return !/\/(latent|gap|ack)\/\d+$/.test(topic);
}
