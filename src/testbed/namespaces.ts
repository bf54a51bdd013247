/**
 * Devices on hosts of their own: a Linux network namespace each, whose only way out is a TUN device. socat
 * carries its packets to this process as UDP datagrams, and here they meet rate, delay, jitter and loss. So
 * TCP is the kernel's own, retransmissions included, and every byte on the wire is counted. Kernels without
 * netem can do this; it takes root, ip (iproute2) and socat.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { access, readFile } from "node:fs/promises";
import { promisify } from "node:util";
import {
  type EmulatedLink,
  type Emulation,
  type EmulationOptions,
  linkRandom,
} from "./emulation.ts";
import { type Channel, LinkShaper } from "./shaper.ts";

const run = promisify(execFile);

/** 198.18.0.0/15 is set aside for tests of networks (RFC 2544); a part of it per process, so that two can run. */
const BLOCK = process.pid % 250;
const CENTRE = `198.18.${BLOCK}.254`;
const hostOf = (device: number) => `198.18.${BLOCK}.${device + 1}`;
/** The ends of the wire between a namespace's socat and this process: a /30 each. */
const outerEnd = (device: number) => `198.19.${BLOCK}.${4 * device + 1}`;
const innerEnd = (device: number) => `198.19.${BLOCK}.${4 * device + 2}`;
/** As many /30 as there are in a block. */
const DEVICES_MAX = 63;
const UDP_PORT = 5001;
const ETHERNET_BYTES = 14;
/** What a modem holds before it drops. */
const QUEUE_BYTES_MAX = 256 * 1024;
const TUN_TIMEOUT_MS = 20_000;

/** Why namespaces cannot be had here; undefined when they can. */
export async function whyNoNamespaces(): Promise<string | undefined> {
  if (process.platform !== "linux") return "it takes Linux";
  if (process.getuid?.() !== 0) return "it takes root";
  if (
    !(await run("ip", ["netns", "list"]).then(
      () => true,
      () => false,
    ))
  )
    return "it takes ip (iproute2)";
  if (
    !(await run("socat", ["-V"]).then(
      () => true,
      () => false,
    ))
  )
    return "it takes socat";
  return access("/dev/net/tun").then(
    () => undefined,
    () => "it takes /dev/net/tun",
  );
}

/** One direction of a device's link: packets in, and out again when their time has come. */
class PacketPipe {
  bytes = 0;
  readonly #shaper: LinkShaper;
  readonly #queueMs: number;
  readonly #deliver: (packet: Buffer) => void;
  readonly #queue: { atMs: number; packet: Buffer }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(shaper: LinkShaper, queueMs: number, deliver: (packet: Buffer) => void) {
    this.#shaper = shaper;
    this.#queueMs = queueMs;
    this.#deliver = deliver;
  }

  take(packet: Buffer): void {
    const wireBytes = packet.length + ETHERNET_BYTES;
    const atMs = this.#shaper.pass(wireBytes, performance.now(), this.#queueMs);
    this.bytes += wireBytes;
    if (atMs === undefined) return;
    this.#queue.push({ atMs, packet });
    this.#timer ??= setTimeout(this.#flush, Math.max(0, atMs - performance.now()));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  readonly #flush = () => {
    const now = performance.now();
    while (this.#queue.length > 0 && this.#queue[0]!.atMs <= now) {
      this.#deliver(this.#queue.shift()!.packet);
    }
    const next = this.#queue[0];
    this.#timer = next && setTimeout(this.#flush, Math.max(0, next.atMs - now));
  };
}

export class NamespaceEmulation implements Emulation {
  name = "network namespaces";
  readonly brokerHost = CENTRE;
  readonly #options: EmulationOptions;
  readonly #tag = `epic-${process.pid}`;
  readonly #sockets: Socket[] = [];
  readonly #socats: ChildProcess[] = [];
  readonly #pipes: { up: PacketPipe; down: PacketPipe }[] = [];
  #devicesMade = 0;

  /** @throws Error of one line when a part cannot be set up; what was set up is taken down again */
  static async create(options: EmulationOptions): Promise<NamespaceEmulation> {
    const emulation = new NamespaceEmulation(options);
    try {
      await emulation.#setUp();
    } catch (error) {
      await emulation.close();
      throw new Error(`namespaces: ${(error as Error).message.trim().split("\n").at(-1)}`);
    }
    return emulation;
  }

  private constructor(options: EmulationOptions) {
    this.#options = options;
  }

  async connect(port: number): Promise<readonly EmulatedLink[]> {
    return this.#pipes.map(({ up, down }, device) => ({
      url: `mqtt://${CENTRE}:${port}`,
      command: ["ip", "netns", "exec", this.#namespaceOf(device)],
      bytes: () => ({ up: up.bytes, down: down.bytes }),
    }));
  }

  async close(): Promise<void> {
    for (const socat of this.#socats) socat.kill("SIGKILL");
    for (const { up, down } of this.#pipes) {
      up.stop();
      down.stop();
    }
    for (const socket of this.#sockets) socket.close();
    for (let device = 0; device < this.#devicesMade; device++) {
      // Both ends of the wire go with one of them; the namespace alone would go when it pleases.
      await run("ip", ["link", "del", this.#outerEndOf(device)]).catch(() => {});
      await run("ip", ["netns", "del", this.#namespaceOf(device)]).catch(() => {});
    }
  }

  async #setUp(): Promise<void> {
    const { link, devices, seed } = this.#options;
    if (devices > DEVICES_MAX) {
      throw new RangeError(`expected at most ${DEVICES_MAX} devices, got ${devices}`);
    }
    const control = await readFile("/proc/sys/net/ipv4/tcp_congestion_control", "utf8");
    this.name = `network namespaces, TCP ${control.trim()}`;
    const centre = await this.#bind("127.0.0.1", 0);
    const socatPort = await freePort();
    const shared: Channel = { freeAtMs: 0 };
    for (let device = 0; device < devices; device++) {
      await this.#makeNamespace(device);
      const outer = await this.#bind(outerEnd(device), UDP_PORT);
      const random = linkRandom(seed, device);
      const isShared = link.medium === "shared";
      const channels = isShared ? [shared, shared] : [{ freeAtMs: 0 }, { freeAtMs: 0 }];
      const queueMs = (rate: number) => (QUEUE_BYTES_MAX * 8000) / rate;
      const up = new PacketPipe(
        new LinkShaper(link.up, channels[0]!, random, link.outage),
        queueMs(link.up.bitsPerSecond),
        (packet) => centre.send(packet, socatPort, "127.0.0.1"),
      );
      const down = new PacketPipe(
        new LinkShaper(link.down, channels[1]!, random, link.outage),
        queueMs(link.down.bitsPerSecond),
        (packet) => outer.send(packet, UDP_PORT, innerEnd(device)),
      );
      this.#pipes.push({ up, down });
      outer.on("message", (packet) => isFor(packet, CENTRE) && up.take(packet));
    }
    centre.on("message", (packet) => {
      const device = this.#pipes.findIndex((_, i) => isFor(packet, hostOf(i)));
      this.#pipes[device]?.down.take(packet);
    });
    await this.#startSocats(centre.address().port, socatPort);
  }

  async #makeNamespace(device: number): Promise<void> {
    const name = this.#namespaceOf(device);
    const [outer, inner] = [this.#outerEndOf(device), "wire"];
    await run("ip", ["netns", "add", name]);
    this.#devicesMade = device + 1;
    await run("ip", ["link", "add", outer, "type", "veth", "peer", "name", inner, "netns", name]);
    await run("ip", ["addr", "add", `${outerEnd(device)}/30`, "dev", outer]);
    await run("ip", ["link", "set", outer, "up"]);
    await run("ip", ["-n", name, "addr", "add", `${innerEnd(device)}/30`, "dev", inner]);
    for (const end of ["lo", inner]) await run("ip", ["-n", name, "link", "set", end, "up"]);
  }

  /** One socat per host, each between a TUN device and this process. Resolves when all TUNs are up. */
  async #startSocats(centrePort: number, socatPort: number): Promise<void> {
    const tun = (host: string) => `TUN:${host}/24,iff-no-pi,iff-up`;
    const { devices } = this.#options;
    this.#socat(
      [],
      tun(CENTRE),
      `UDP4-DATAGRAM:127.0.0.1:${centrePort},bind=127.0.0.1:${socatPort}`,
    );
    for (let device = 0; device < devices; device++) {
      const way = `UDP4-DATAGRAM:${outerEnd(device)}:${UDP_PORT},bind=${innerEnd(device)}:${UDP_PORT}`;
      this.#socat(["ip", "netns", "exec", this.#namespaceOf(device)], tun(hostOf(device)), way);
    }
    await this.#hasAddress([], CENTRE);
    for (let device = 0; device < devices; device++) {
      await this.#hasAddress(["-n", this.#namespaceOf(device)], hostOf(device));
    }
  }

  #socat(inside: readonly string[], tun: string, way: string): void {
    const [command, ...args] = [...inside, "socat", tun, way];
    const socat = spawn(command!, args, { stdio: "ignore" });
    socat.on("error", () => {});
    this.#socats.push(socat);
  }

  async #hasAddress(where: readonly string[], address: string): Promise<void> {
    const end = performance.now() + TUN_TIMEOUT_MS;
    for (;;) {
      const { stdout } = await run("ip", [...where, "-o", "-4", "addr"]);
      if (stdout.includes(`${address}/`)) return;
      if (performance.now() > end) throw new Error(`expected a TUN device at ${address}, got none`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #bind(address: string, port: number): Promise<Socket> {
    const socket = createSocket({ type: "udp4", recvBufferSize: 2 ** 20, sendBufferSize: 2 ** 20 });
    this.#sockets.push(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(port, address, resolve);
    });
    socket.on("error", () => {});
    return socket;
  }

  /** A name has at most 15 characters; process ids have up to 7. */
  #outerEndOf(device: number): string {
    return `etb${process.pid}o${device}`;
  }

  #namespaceOf(device: number): string {
    return `${this.#tag}-${device}`;
  }
}

/** An IPv4 packet to that address. */
function isFor(packet: Buffer, address: string): boolean {
  return packet[0]! >> 4 === 4 && [...packet.subarray(16, 20)].join(".") === address;
}

async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}
