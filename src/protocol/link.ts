/**
 * What the device agent and the central service need of a message network: publish, subscribe, and
 * word of the connection. `src/transport` implements it over MQTT; tests implement it in memory.
 */
export interface MessageLink {
  readonly connected: boolean;
  /**
   * Hands one message to the network. Resolves when the network has taken it, which proves nothing
   * about the receiver; rejects when the link is down.
   */
  publish(topic: string, payload: Uint8Array, options?: PublishOptions): Promise<void>;
  /** Subscribes now, if the link is up, and after each connect. Resolves when the broker has confirmed. */
  subscribe(filters: readonly string[]): Promise<void>;
  /** One handler for all messages. */
  onMessage(handler: (message: LinkMessage) => void): void;
  /** Called with true after each connect (subscriptions renewed), false after each loss. */
  onConnection(handler: (connected: boolean) => void): void;
  close(): Promise<void>;
}

/** A message as a subscriber gets it. */
export interface LinkMessage {
  readonly topic: string;
  /** The handler's to keep. */
  readonly payload: Uint8Array;
  /** The broker had kept it from before the subscription: no news, but the state. */
  readonly retained: boolean;
}

/** How a message is delivered and kept. */
export interface PublishOptions {
  /** 0 = at most once, 1 = the broker confirms (default 0). */
  qos?: 0 | 1;
  /** The broker keeps the last message for later subscribers (default false). */
  retain?: boolean;
}
