import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import type { LinkMessage, MessageLink, PublishOptions } from "../protocol/index.ts";
import { backoffMs } from "./backoff.ts";

/** PEM texts for mqtts:// and wss://. */
export interface LinkTls {
  /** Authority that the broker's certificate must be signed by; the system's when absent. */
  ca?: string;
  /** What this client shows of itself, to a broker that asks. */
  cert?: string;
  key?: string;
}

/** Which broker a link talks to, and as whom. */
export interface MqttLinkOptions {
  /**
   * mqtt://, mqtts://, ws:// or wss:// with host and optional port. Of several, the nodes of one
   * cluster, the next is tried when one does not answer or is lost.
   */
  url: string | readonly string[];
  clientId: string;
  username?: string;
  password?: string;
  tls?: LinkTls;
  /** Retained topic that says "online" while connected and "offline" otherwise, by last will. */
  statusTopic?: string;
  /** A dead peer is noticed after 1.5 times this. Default 15; more where one message takes longer. */
  keepaliveS?: number;
  /**
   * Messages published within this time of each other share segments, which cost more than a short
   * message does: on a radio they are what is paid for. Default 0: those of one turn of the event loop.
   */
  gatherMs?: number;
  /** Word of every failed attempt and lost connection. */
  onProblem?: (message: string) => void;
  /** In [0, 1), for the backoff. Default Math.random. */
  random?: () => number;
}

const CONNECT_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 2_000;
const KEEPALIVE_S = 15;
export const ONLINE = new TextEncoder().encode("online");
export const OFFLINE = new TextEncoder().encode("offline");

/**
 * A {@link MessageLink} over MQTT 3.1.1 that reconnects for ever, with backoff. Each attempt is a
 * fresh client of the mqtt package with nothing stored: its queues are unbounded and vanish with the
 * process, so what must survive stays with the caller, who is told when the link is up again.
 */
export class MqttLink implements MessageLink {
  readonly #options: MqttLinkOptions;
  readonly #urls: readonly string[];
  readonly #filters = new Set<string>();
  #onMessage: (message: LinkMessage) => void = () => {};
  #onConnection: (connected: boolean) => void = () => {};
  #client: MqttClient | undefined;
  /** Holds back what is written to it for a moment. */
  #gathering: MqttClient["stream"] | undefined;
  #timer: NodeJS.Timeout | undefined;
  #attempt = 0;
  /** Of the next attempt, modulo their number. */
  #urlIndex = 0;
  #connected = false;
  #closed = false;

  /** Starts connecting; throws only for a URL that can never work. */
  constructor(options: MqttLinkOptions) {
    this.#urls = typeof options.url === "string" ? [options.url] : options.url;
    if (this.#urls.length === 0) throw new TypeError("broker: expected a URL, got none");
    for (const url of this.#urls) checkBrokerUrl(url);
    this.#options = options;
    this.#open();
  }

  get connected(): boolean {
    return this.#connected;
  }

  onMessage(handler: (message: LinkMessage) => void): void {
    this.#onMessage = handler;
  }

  onConnection(handler: (connected: boolean) => void): void {
    this.#onConnection = handler;
  }

  async publish(topic: string, payload: Uint8Array, options: PublishOptions = {}): Promise<void> {
    if (this.#client === undefined || !this.#connected) throw new Error("link: not connected");
    const { qos = 0, retain = false } = options;
    this.#gather(this.#client.stream);
    await this.#client.publishAsync(topic, asBuffer(payload), { qos, retain });
  }

  #gather(stream: MqttClient["stream"]): void {
    if (this.#gathering === stream) return;
    this.#gathering = stream;
    stream.cork();
    const { gatherMs = 0 } = this.#options;
    const send = () => {
      if (this.#gathering === stream) this.#gathering = undefined;
      stream.uncork();
    };
    if (gatherMs > 0) setTimeout(send, gatherMs);
    else setImmediate(send);
  }

  async subscribe(filters: readonly string[]): Promise<void> {
    for (const filter of filters) this.#filters.add(filter);
    if (this.#connected) await this.#client?.subscribeAsync([...filters], { qos: 0 });
  }

  /** Says "offline", disconnects, and connects no more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    if (client === undefined) return;
    // A polite end waits for every confirmation that is outstanding; one that was lost never comes.
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    });
    await Promise.race([this.#end(client), patience]);
    clearTimeout(timer);
    client.stream.destroy();
  }

  async #end(client: MqttClient): Promise<void> {
    if (this.#connected && this.#options.statusTopic !== undefined) {
      await this.publish(this.#options.statusTopic, OFFLINE, { retain: true }).catch(() => {});
    }
    await client.endAsync(!this.#connected);
  }

  #open(): void {
    const url = this.#urls[this.#urlIndex++ % this.#urls.length]!;
    const { clientId, username, password, tls, statusTopic } = this.#options;
    const settings: IClientOptions = {
      clientId,
      protocolVersion: 4,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
      keepalive: this.#options.keepaliveS ?? KEEPALIVE_S,
      queueQoSZero: false,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...tls,
      ...(statusTopic !== undefined && {
        will: { topic: statusTopic, payload: asBuffer(OFFLINE), qos: 1, retain: true },
      }),
    };
    const client = mqtt.connect(url, settings);
    this.#client = client;
    client.on("connect", () => void this.#connectedNow(client));
    client.on("message", (topic, payload, packet) => {
      this.#onMessage({ topic, payload, retained: packet.retain });
    });
    client.on("error", (error) => {
      this.#problem(describeFailure(error, url));
      client.end(true);
    });
    client.on("close", () => this.#lost(client, url));
  }

  async #connectedNow(client: MqttClient): Promise<void> {
    try {
      if (this.#filters.size > 0) await client.subscribeAsync([...this.#filters], { qos: 0 });
    } catch (error) {
      this.#problem(`subscription failed: ${(error as Error).message}`);
      client.end(true);
      return;
    }
    if (this.#closed || client !== this.#client || !client.connected) return;
    this.#connected = true;
    this.#attempt = 0;
    if (this.#options.statusTopic !== undefined) {
      await this.publish(this.#options.statusTopic, ONLINE, { retain: true }).catch(() => {});
    }
    if (this.#connected) this.#onConnection(true);
  }

  #lost(client: MqttClient, url: string): void {
    if (client !== this.#client) return;
    this.#client = undefined;
    const wasConnected = this.#connected;
    this.#connected = false;
    if (wasConnected) this.#onConnection(false);
    if (this.#closed) return;
    if (wasConnected) this.#problem(`connection to ${url} lost`);
    const random = (this.#options.random ?? Math.random)();
    // Each node of a cluster once before the wait grows.
    const round = Math.floor(this.#attempt++ / this.#urls.length);
    this.#timer = setTimeout(() => this.#open(), backoffMs(round, random));
  }

  #problem(message: string): void {
    if (!this.#closed) this.#options.onProblem?.(message);
  }
}

/** @throws Error in one line unless `url` names a broker that the client can reach */
export function checkBrokerUrl(url: string): void {
  const schemes = ["mqtt:", "mqtts:", "tcp:", "ssl:", "ws:", "wss:"];
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !schemes.includes(parsed.protocol) || parsed.hostname === "") {
    throw new TypeError(`broker: expected a URL as mqtt://host:1883, got "${url}"`);
  }
}

function describeFailure(error: Error & { code?: string | number }, url: string): string {
  if (error.code === "ECONNREFUSED") return `nothing listens at ${url}`;
  if (error.code === "ENOTFOUND") return `unknown host in ${url}`;
  return `${url}: ${error.message || error.code || "connection failed"}`;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
