/** The claim of `epic central` to its shards, over a connection of its own. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { ShardClaim } from "../central/claim.ts";
import { centralClientPrefix } from "../protocol/index.ts";
import { MqttLink, type MqttLinkOptions } from "../transport/client.ts";
import { aborted } from "./lifetime.ts";

export interface ClaimShardsOptions {
  survey: string;
  served: readonly number[];
  shards: number;
  waitMs: number;
  access: Pick<MqttLinkOptions, "url" | "username" | "password" | "tls">;
  onProblem: (message: string) => void;
}

const TICK_MS = 50;

/**
 * Its connection has no status and no latents: a process that is refused leaves no trace in either,
 * and an objection does not queue behind frames.
 */
export class ClaimedShards {
  readonly #link: MqttLink;
  readonly #claim: ShardClaim;
  readonly #ticker: NodeJS.Timeout;

  /** Starts to ask. */
  constructor({ survey, served, shards, waitMs, access, onProblem }: ClaimShardsOptions) {
    const instance = randomBytes(8).toString("hex");
    const clientId = `${centralClientPrefix(survey)}claim-${instance}`;
    this.#link = new MqttLink({ clientId, onProblem, ...access });
    this.#claim = new ShardClaim({
      link: this.#link,
      survey,
      served,
      shards,
      instance,
      where: `${hostname()
        .replace(/[^\w.-]/g, "_")
        .slice(0, 64)}:${process.pid}`,
      waitMs,
      now: () => performance.now(),
      wallMs: Date.now,
    });
    void this.#claim.start().catch((error: Error) => onProblem(error.message));
    this.#ticker = setInterval(() => this.#claim.tick(), TICK_MS);
  }

  /** Resolves when the shards are this process's, or when `stop` aborts. @throws ClaimError */
  async held(stop: AbortSignal): Promise<void> {
    await Promise.race([this.#claim.held(), aborted(stop)]);
  }

  /** Rejects with ClaimError when the shards turn out to be another's; resolves when `stop` aborts. */
  async lost(stop: AbortSignal): Promise<void> {
    const lost = new Promise<never>((_resolve, reject) => this.#claim.onLost(reject));
    await Promise.race([lost, aborted(stop)]);
  }

  async release(): Promise<void> {
    clearInterval(this.#ticker);
    await this.#link.close();
  }
}
