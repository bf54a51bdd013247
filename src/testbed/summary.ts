/** What a run says: latency, bytes, energy and fidelity per arm, and how the arms compare with raw. */
import { scoreMap } from "../metrics/index.ts";
import type { ArmName } from "./arms.ts";
import { median } from "./bench/timing.ts";
import { type Energy, RADIOS, recordEnergy } from "./energy.ts";
import type { LinkProfile } from "./links.ts";
import type { Sample } from "./run.ts";

export const WAKE_UPS = [1, 5, 20] as const;

export interface ArmSummary {
  readonly records: number;
  /** From a device's start to the map, mean over the devices of a record; then over the records. */
  readonly latencyMs: { readonly median: number; readonly p95: number; readonly p99: number };
  /** Means, which add up to the mean latency. */
  readonly splitMs: Readonly<Record<"encode" | "send" | "wait" | "decode", number>>;
  /** Median of the last device's arrival after the first's: what unequal boards and links cost. */
  readonly stragglerMs: number;
  /** Per record, all devices. */
  readonly bytes: Readonly<Record<"payload" | "mqtt" | "wire", number>>;
  /** Per record and device, by records per wake-up; J. */
  readonly energyJ: Readonly<Record<string, Energy>>;
  readonly ssim: number;
  readonly mae: number;
}

/** How many times less than raw. */
export interface Ratios {
  readonly latency: number;
  /** With the radio's promotion before both. */
  readonly latencyFromIdle: number;
  readonly payload: number;
  readonly wire: number;
  readonly transmitEnergy: number;
  /** By records per wake-up, everything but compute. */
  readonly radioEnergy: Readonly<Record<string, number>>;
  readonly totalEnergy: Readonly<Record<string, number>>;
}

/** @param truths by record, m/s */
export function summariseArm(
  samples: readonly Sample[],
  link: LinkProfile,
  truths: readonly Float32Array[],
  rows: number,
): ArmSummary {
  const devices = samples.flatMap((sample) => sample.devices);
  const of = (key: keyof (typeof devices)[number]) => mean(devices.map((device) => device[key]));
  const perRecord = devices.length / samples.length;
  const latencies = samples.map(
    ({ devices, decodeMs }) =>
      mean(devices.map((d) => d.encodeMs + d.sendMs + d.waitMs)) + decodeMs,
  );
  const scores = samples.map(({ map, record }) => scoreMap(map, truths[record]!, rows));
  const energy = (recordsPerWakeUp: number) =>
    recordEnergy({
      link,
      upBytes: of("upBytes"),
      downBytes: of("downBytes"),
      computeMs: median(devices.map((device) => device.computeMs)),
      recordsPerWakeUp,
    });
  return {
    records: samples.length,
    latencyMs: {
      median: median(latencies),
      p95: quantile(latencies, 0.95),
      p99: quantile(latencies, 0.99),
    },
    splitMs: {
      encode: of("encodeMs"),
      send: of("sendMs"),
      wait: of("waitMs"),
      decode: mean(samples.map((sample) => sample.decodeMs)),
    },
    stragglerMs: median(samples.map((sample) => spread(sample.devices.map((d) => d.waitMs)))),
    bytes: {
      payload: perRecord * of("payloadBytes"),
      mqtt: perRecord * of("mqttBytes"),
      wire: perRecord * (of("upBytes") + of("downBytes")),
    },
    energyJ: Object.fromEntries(WAKE_UPS.map((k) => [k, energy(k)])),
    ssim: mean(scores.map(({ ssim }) => ssim)),
    mae: mean(scores.map(({ mae }) => mae)),
  };
}

/** Every arm but `base` against it. */
export function compareArms(
  arms: Readonly<Partial<Record<ArmName, ArmSummary>>>,
  base: ArmName,
  link: LinkProfile,
): Partial<Record<ArmName, Ratios>> {
  const from = arms[base];
  if (from === undefined) return {};
  const others = Object.entries(arms).filter(([name]) => name !== base);
  return Object.fromEntries(others.map(([name, arm]) => [name, ratios(from, arm, link)]));
}

function ratios(from: ArmSummary, arm: ArmSummary, link: LinkProfile): Ratios {
  const promotionMs = 1000 * RADIOS[link.radio].promotionS;
  const times = (value: (summary: ArmSummary) => number) => value(from) / value(arm);
  const byWakeUp = (value: (energy: Energy) => number) =>
    Object.fromEntries(WAKE_UPS.map((k) => [k, times(({ energyJ }) => value(energyJ[k]!))]));
  return {
    latency: times(({ latencyMs }) => latencyMs.median),
    latencyFromIdle: times(({ latencyMs }) => latencyMs.median + promotionMs),
    payload: times(({ bytes }) => bytes.payload),
    wire: times(({ bytes }) => bytes.wire),
    transmitEnergy: times(({ energyJ }) => energyJ[1]!.transmit),
    radioEnergy: byWakeUp(({ total, compute }) => total - compute),
    totalEnergy: byWakeUp(({ total }) => total),
  };
}

/** The smallest value that a share `q` of all does not exceed: with 50 records, p99 is the worst. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function spread(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values);
}
