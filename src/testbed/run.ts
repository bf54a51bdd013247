/** One run: broker, shaped links and processes; every record goes through every arm in turn. */
import { Broker } from "../transport/broker.ts";
import type { ArmName } from "./arms.ts";
import { Child } from "./children.ts";
import type { EmulatedLink, Emulation, WireBytes } from "./emulation.ts";
import { clientIdOf, type FromChild, type SetUp } from "./messages.ts";

export interface RunOptions {
  /** The run's to close. */
  readonly emulation: Emulation;
  readonly devices: number;
  /** By device. */
  readonly slowdown: readonly number[];
  readonly model: string | undefined;
  readonly module: SetUp["module"];
  /** Aborts the run. */
  readonly stop: AbortSignal;
}

/** One record's way through one arm: by device, and the map. */
export interface Sample {
  readonly arm: ArmName;
  readonly record: number;
  readonly devices: readonly DeviceSample[];
  readonly decodeMs: number;
  readonly map: Float32Array;
}

/** Encode + send + wait + the record's decode is the time from this device's start to the map. */
export interface DeviceSample {
  readonly encodeMs: number;
  readonly sendMs: number;
  /** For the other devices, and for the centre to begin. */
  readonly waitMs: number;
  readonly computeMs: number;
  readonly payloadBytes: number;
  readonly mqttBytes: number;
  /** On the wire. */
  readonly upBytes: number;
  readonly downBytes: number;
}

/** Raw traces of a device and their topic, in one packet. */
const PACKET_BYTES_MAX = 4 * 2 ** 20;
/** No record takes this long, on the slowest link with an outage; one that does is stuck. */
const TURN_TIMEOUT_MS = 600_000;

interface LinkCount extends WireBytes {
  readonly mqtt: number;
}

type Sent = Extract<FromChild, { kind: "sent" }>;
type Decoded = Extract<FromChild, { kind: "decoded" }>;

export class TestbedRun {
  readonly #options: RunOptions;
  readonly #broker: Broker;
  #links: readonly EmulatedLink[] = [];
  #children: readonly Child[] = [];
  #turn = 0;
  #onMessage: (message: FromChild) => void = () => {};
  /** Which module the processes chose. */
  module = "";

  /** Resolves when all processes are connected through their links. */
  static async start(options: RunOptions): Promise<TestbedRun> {
    const { emulation } = options;
    const listen = { host: emulation.brokerHost, port: 0, packetBytesMax: PACKET_BYTES_MAX };
    const broker = await Broker.start(listen).catch(async (error: Error) => {
      await emulation.close();
      throw error;
    });
    const run = new TestbedRun(options, broker);
    try {
      run.#links = await emulation.connect(broker.port);
      await run.#startChildren();
    } catch (error) {
      await run.close();
      throw error;
    }
    return run;
  }

  private constructor(options: RunOptions, broker: Broker) {
    this.#options = options;
    this.#broker = broker;
  }

  async #startChildren(): Promise<void> {
    const { devices, slowdown, model, module } = this.#options;
    let ready = 0;
    const all = this.#until((message) => {
      if (message.kind === "ready") this.module = message.module;
      return message.kind === "ready" && ++ready === devices + 1;
    });
    const shared = { kind: "setup", devices, model, module } as const;
    const forward = (message: FromChild) => this.#onMessage(message);
    const children = this.#links.map(({ url, command }, device) => {
      const setUp = {
        ...shared,
        role: "device",
        device,
        url,
        slowdown: slowdown[device]!,
      } as const;
      return new Child(`device ${device}`, command, setUp, forward);
    });
    const { url } = this.#broker;
    const own = { ...shared, role: "centre", device: 0, url, slowdown: 1 } as const;
    this.#children = [...children, new Child("centre", [], own, forward)];
    await all;
  }

  /** @param traces by device, [shots][samples][receivers] */
  async transmit(arm: ArmName, record: number, traces: readonly Float32Array[]): Promise<Sample> {
    const id = ++this.#turn;
    const before = this.#count();
    const sent: Sent[] = [];
    let decoded: Decoded | undefined;
    const done = this.#until((message) => {
      if (message.kind === "sent" && message.id === id) sent[message.device] = message;
      if (message.kind === "decoded" && message.id === id) decoded = message;
      return decoded !== undefined && Object.keys(sent).length === traces.length;
    });
    traces.forEach((own, device) => {
      this.#children[device]!.send({ kind: "turn", id, arm, traces: own });
    });
    await done;
    return sampleOf(arm, record, sent, decoded!, before, this.#count());
  }

  /** By device. MQTT bytes are the broker's own count. */
  #count(): LinkCount[] {
    const clients = this.#broker.bytes();
    return this.#links.map((link, device) => {
      const client = clients.get(clientIdOf("device", device));
      return { ...link.bytes(), mqtt: (client?.mqttIn ?? 0) + (client?.mqttOut ?? 0) };
    });
  }

  async close(): Promise<void> {
    this.#onMessage = () => {};
    await Promise.all(this.#children.map((child) => child.stop()));
    await this.#broker.close();
    await this.#options.emulation.close();
  }

  /** Resolves at the message for which `done` is true; rejects when a process fails, or nothing comes. */
  #until(done: (message: FromChild) => boolean): Promise<void> {
    const { stop } = this.#options;
    return new Promise((resolve, reject) => {
      const fail = (message: string) => settle(() => reject(new Error(`testbed: ${message}`)));
      const interrupted = () => fail("interrupted");
      const timer = setTimeout(
        () => fail(`expected an end within ${TURN_TIMEOUT_MS} ms`),
        TURN_TIMEOUT_MS,
      );
      const settle = (how: () => void) => {
        clearTimeout(timer);
        stop.removeEventListener("abort", interrupted);
        this.#onMessage = () => {};
        how();
      };
      stop.addEventListener("abort", interrupted, { once: true });
      this.#onMessage = (message) => {
        if (message.kind === "failed") fail(message.message);
        else if (done(message)) settle(resolve);
      };
      if (stop.aborted) interrupted();
    });
  }
}

function sampleOf(
  arm: ArmName,
  record: number,
  sent: readonly Sent[],
  { arrivedMs, decodeMs: [start, end], map }: Decoded,
  before: readonly LinkCount[],
  after: readonly LinkCount[],
): Sample {
  const devices = sent.map((own, device) => ({
    encodeMs: own.encodedMs - own.startMs,
    sendMs: arrivedMs[device]! - own.encodedMs,
    waitMs: start - arrivedMs[device]!,
    computeMs: own.computeMs,
    payloadBytes: own.payloadBytes,
    mqttBytes: after[device]!.mqtt - before[device]!.mqtt,
    upBytes: after[device]!.up - before[device]!.up,
    downBytes: after[device]!.down - before[device]!.down,
  }));
  return { arm, record, devices, decodeMs: end - start, map };
}
