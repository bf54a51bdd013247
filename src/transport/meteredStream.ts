import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { LinkMeter } from "./meter.ts";
import { PacketGuard } from "./packetGuard.ts";

/** A client announced a packet above the limit. */
export class PacketTooLongError extends Error {
  override readonly name = "PacketTooLongError";
}

/**
 * A broker's view of a client socket: counts the bytes both ways and cuts the connection at the
 * first packet header that announces more than `packetBytesMax`. The broker library itself has no
 * such limit and would buffer up to 256 MiB.
 */
export class MeteredStream extends Duplex {
  /** Replaced when the client is known by name; see {@link useMeter}. */
  #meter = new LinkMeter();
  /** Bytes handed to the socket in this turn. */
  #gathered = 0;
  readonly #socket: Socket;
  readonly #guard: PacketGuard;
  /** Of the peer; known as long as the stream is. */
  readonly remoteAddress: string;

  constructor(socket: Socket, packetBytesMax: number) {
    super();
    this.#socket = socket;
    this.remoteAddress = socket.remoteAddress ?? "unknown";
    this.#guard = new PacketGuard(packetBytesMax);
    this.#meter.opened();
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  /** Counts into `meter` from now on, and adds to it what was counted so far. */
  useMeter(meter: LinkMeter): void {
    meter.absorb(this.#meter);
    this.#meter = meter;
  }

  /** Takes packets of up to `bytesMax` from now on. */
  limitPackets(bytesMax: number): void {
    this.#guard.max = bytesMax;
  }

  #receive(chunk: Buffer): void {
    this.#meter.received(chunk.length);
    const announced = this.#guard.check(chunk);
    if (announced !== undefined) {
      this.destroy(
        new PacketTooLongError(
          `packet: expected at most ${this.#guard.max} bytes, got ${announced}`,
        ),
      );
      return;
    }
    if (!this.push(chunk)) this.#socket.pause();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#gather(chunk.length);
    // A lost socket destroys this stream, which calls `done` itself.
    if (this.#socket.write(chunk)) done();
    else this.#socket.once("drain", done);
  }

  /** What is written in one turn of the event loop, packets for the same client, goes out in one write. */
  #gather(bytes: number): void {
    if (this.#gathered === 0) {
      this.#socket.cork();
      setImmediate(() => this.#send());
    }
    this.#gathered += bytes;
  }

  #send(): void {
    if (this.#gathered === 0) return;
    this.#meter.sent(this.#gathered);
    this.#gathered = 0;
    this.#socket.uncork();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // The last word to a client that is turned away says why.
    this.#send();
    this.#socket.destroy();
    done(error);
  }
}
