/** What the testbed's processes say to each other; Node's channel carries typed arrays. */
import type { ArmName } from "./arms.ts";

/** Longer than any message takes on the slowest link. */
export const KEEPALIVE_S = 1800;

export interface SetUp {
  readonly kind: "setup";
  readonly role: "device" | "centre";
  /** Of a device. */
  readonly device: number;
  readonly devices: number;
  readonly url: string;
  readonly model: string | undefined;
  readonly module: "scalar" | "simd" | "relaxed" | undefined;
  /** A device of factor 4 takes four times as long to compute. */
  readonly slowdown: number;
}

/** One record of one arm, to every device. */
export interface Turn {
  readonly kind: "turn";
  /** Different for every record and arm of a run. */
  readonly id: number;
  readonly arm: ArmName;
  /** The device's own, [shots][samples][receivers]. */
  readonly traces: Float32Array;
}

export type ToChild = SetUp | Turn;

/** Times: ms on the clock that all processes of this machine share. */
export type FromChild =
  | { readonly kind: "ready"; readonly module: string; readonly modelId: string }
  | {
      readonly kind: "sent";
      readonly id: number;
      readonly device: number;
      readonly startMs: number;
      readonly encodedMs: number;
      /** Processor time, the slow-down factor included: other programs of this machine do not count. */
      readonly computeMs: number;
      readonly payloadBytes: number;
    }
  | {
      readonly kind: "decoded";
      readonly id: number;
      /** By device. */
      readonly arrivedMs: readonly number[];
      readonly decodeMs: readonly [start: number, end: number];
      readonly map: Float32Array;
    }
  | { readonly kind: "failed"; readonly message: string };

/** The MQTT client id of a process. */
export function clientIdOf(role: SetUp["role"], device: number): string {
  return `testbed-${role}-${device}`;
}

/** Wall clock with fractions of a millisecond. */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}
