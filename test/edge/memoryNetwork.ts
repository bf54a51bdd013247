/** A message network in memory, with MQTT's topic filters and retained messages, and a plug to pull. */
import type { LinkMessage, MessageLink, PublishOptions } from "../../src/protocol/index.ts";

export class MemoryNetwork {
  readonly links = new Set<MemoryLink>();
  readonly retained = new Map<string, Uint8Array>();
  /** Everything published, in order. */
  readonly published: { topic: string; payload: Uint8Array; qos: 0 | 1 }[] = [];
  /** Return false to lose a message. */
  deliver: (topic: string, payload: Uint8Array) => boolean = () => true;

  link(): MemoryLink {
    const link = new MemoryLink(this);
    this.links.add(link);
    return link;
  }

  topics(part: string): string[] {
    return this.published.map(({ topic }) => topic).filter((topic) => topic.includes(part));
  }
}

export class MemoryLink implements MessageLink {
  connected = true;
  readonly #network: MemoryNetwork;
  readonly #filters: string[] = [];
  #onMessage: (message: LinkMessage) => void = () => {};
  #onConnection: (connected: boolean) => void = () => {};

  constructor(network: MemoryNetwork) {
    this.#network = network;
  }

  onMessage(handler: (message: LinkMessage) => void): void {
    this.#onMessage = handler;
  }

  onConnection(handler: (connected: boolean) => void): void {
    this.#onConnection = handler;
  }

  async subscribe(filters: readonly string[]): Promise<void> {
    this.#filters.push(...filters);
    for (const [topic, payload] of this.#network.retained) this.receive(topic, payload, true);
  }

  async publish(topic: string, payload: Uint8Array, options: PublishOptions = {}): Promise<void> {
    if (!this.connected) throw new Error("link: not connected");
    const copy = payload.slice();
    this.#network.published.push({ topic, payload: copy, qos: options.qos ?? 0 });
    if (options.retain) this.#network.retained.set(topic, copy);
    if (!this.#network.deliver(topic, copy)) return;
    for (const link of this.#network.links) link.receive(topic, copy, false);
  }

  receive(topic: string, payload: Uint8Array, retained: boolean): void {
    if (!this.connected || !this.#filters.some((filter) => matches(filter, topic))) return;
    queueMicrotask(() => this.#onMessage({ topic, payload, retained }));
  }

  plug(connected: boolean): void {
    if (connected === this.connected) return;
    this.connected = connected;
    this.#onConnection(connected);
  }

  async close(): Promise<void> {
    this.#network.links.delete(this);
  }
}

function matches(filter: string, topic: string): boolean {
  const [levels, names] = [filter.split("/"), topic.split("/")];
  return (
    levels.length === names.length &&
    levels.every((level, i) => level === "+" || level === names[i])
  );
}
