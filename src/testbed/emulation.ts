/** How a run's links come to be: shaping proxies anywhere, network namespaces where root allows. */
import { seededIntegers } from "../engine/seeded.ts";
import type { LinkProfile } from "./links.ts";
import { ShapingProxy } from "./proxy.ts";

/** Traffic of one device's link, as its network card would count it. */
export interface WireBytes {
  readonly up: number;
  readonly down: number;
}

/** One device's link. */
export interface EmulatedLink {
  /** Where the broker is, seen from the device. */
  readonly url: string;
  /** What the device's process is started with: empty, or the way into its namespace. */
  readonly command: readonly string[];
  bytes(): WireBytes;
}

export interface Emulation {
  /** In words, for the report. */
  readonly name: string;
  /** Where the broker listens. */
  readonly brokerHost: string;
  /** The links, once the broker listens at `port`. */
  connect(port: number): Promise<readonly EmulatedLink[]>;
  close(): Promise<void>;
}

export interface EmulationOptions {
  readonly link: LinkProfile;
  readonly devices: number;
  readonly seed: number;
}

/** Uniform in [0, 1), different for every device. */
export function linkRandom(seed: number, device: number): () => number {
  const integers = seededIntegers(seed * 1000 + device + 1);
  return () => integers(0, 2 ** 24 - 1) / 2 ** 24;
}

/** A TCP proxy per device in this process. */
export class ProxyEmulation implements Emulation {
  readonly name = "a shaping proxy per device";
  readonly brokerHost = "127.0.0.1";
  readonly #options: EmulationOptions;
  readonly #proxies: ShapingProxy[] = [];

  constructor(options: EmulationOptions) {
    this.#options = options;
  }

  async connect(port: number): Promise<readonly EmulatedLink[]> {
    const { link, devices, seed } = this.#options;
    const shared = link.medium === "shared" ? { channel: { freeAtMs: 0 } } : {};
    for (let device = 0; device < devices; device++) {
      const random = linkRandom(seed, device);
      this.#proxies.push(await ShapingProxy.start({ link, random, target: port, ...shared }));
    }
    return this.#proxies.map((proxy) => ({
      url: `mqtt://127.0.0.1:${proxy.port}`,
      command: [],
      bytes: () => proxy.bytes(),
    }));
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }
}
