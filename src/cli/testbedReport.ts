/** The testbed's report as tables. */
import { formatBytes, formatMs, formatRatio } from "../io/format.ts";
import type { ArmName } from "../testbed/arms.ts";
import type { Radio } from "../testbed/energy.ts";
import type { LinkProfile } from "../testbed/links.ts";
import { type ArmSummary, type Ratios, WAKE_UPS } from "../testbed/summary.ts";
import { formatTable } from "./table.ts";

export interface TestbedReport {
  readonly link: LinkProfile;
  readonly emulation: string;
  readonly radio: Radio;
  readonly core: { readonly watts: number; readonly source: string };
  readonly records: number;
  readonly seed: number;
  readonly slowdown: readonly number[];
  readonly module: string;
  readonly modelId: string;
  readonly node: string;
  readonly arms: Readonly<Record<string, ArmSummary>>;
  readonly lessThanRaw: Readonly<Partial<Record<ArmName, Ratios>>>;
  readonly lessThanRawPacked: Readonly<Partial<Record<ArmName, Ratios>>>;
}

export function formatTestbed(report: TestbedReport): string {
  const { link, records, arms, lessThanRaw, slowdown } = report;
  const parts = [
    `${link.name}: ${records} records per arm, slow-down ${slowdown.join(",")}, ${report.emulation}`,
    armTable(arms),
    energyTable(arms),
  ];
  if (Object.keys(lessThanRaw).length > 0) parts.push(ratioTable("than raw", lessThanRaw));
  return parts.join("\n\n");
}

function armTable(arms: TestbedReport["arms"]): string {
  return formatTable(
    [
      "arm",
      "median",
      "p95",
      "p99",
      "encode",
      "send",
      "wait",
      "decode",
      "payload",
      "MQTT",
      "wire",
      "SSIM",
      "MAE",
    ],
    Object.entries(arms).map(([name, { latencyMs, splitMs, bytes, ssim, mae }]) => [
      name,
      ...[latencyMs.median, latencyMs.p95, latencyMs.p99].map(formatMs),
      ...[splitMs.encode, splitMs.send, splitMs.wait, splitMs.decode].map(formatMs),
      ...[bytes.payload, bytes.mqtt, bytes.wire].map(formatBytes),
      ssim.toFixed(4),
      mae.toFixed(4),
    ]),
  );
}

function energyTable(arms: TestbedReport["arms"]): string {
  const joules = (value: number) => value.toPrecision(3);
  return formatTable(
    [
      "J per record, device",
      "promotion",
      "transmit",
      "receive",
      "tail",
      "compute",
      ...WAKE_UPS.map((k) => `total, ${k}`),
    ],
    Object.entries(arms).map(([name, { energyJ }]) => {
      const { promotion, transmit, receive, tail, compute } = energyJ[1]!;
      const totals = WAKE_UPS.map((k) => energyJ[k]!.total);
      return [name, ...[promotion, transmit, receive, tail, compute, ...totals].map(joules)];
    }),
  );
}

function ratioTable(base: string, ratios: TestbedReport["lessThanRaw"]): string {
  return formatTable(
    [
      `less ${base}`,
      "latency",
      "from idle",
      "payload",
      "wire",
      "transmit J",
      ...WAKE_UPS.map((k) => `radio J, ${k}`),
    ],
    Object.entries(ratios).map(([name, ratio]) => [
      name,
      ...[
        ratio.latency,
        ratio.latencyFromIdle,
        ratio.payload,
        ratio.wire,
        ratio.transmitEnergy,
      ].map(formatRatio),
      ...WAKE_UPS.map((k) => formatRatio(ratio.radioEnergy[k]!)),
    ]),
  );
}
