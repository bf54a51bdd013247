#!/usr/bin/env node
/**
 * The tables of docs/testbed.md from runs of `epic testbed --out DIR`:
 *
 *     node scripts/testbed-tables.mjs DIR/testbed.json...
 */
import { readFileSync } from "node:fs";

for (const path of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(path, "utf8"));
  const { link, records, emulation, node, module, modelId, seed, slowdown } = report;
  console.log(`### ${link.name}\n`);
  console.log(
    `${records} records, seed ${seed}, ${emulation}, slow-down ${slowdown.join(",")}, Node ${node}, ${module} module, model ${modelId}.\n`,
  );
  print(
    [
      "",
      "fastest, median, p95, p99 ms",
      "encode",
      "send",
      "wait",
      "decode",
      "payload B",
      "MQTT B",
      "wire B",
      "SSIM",
      "MAE",
    ],
    Object.entries(report.arms).map(([name, { latencyMs, splitMs, bytes, ssim, mae }]) => [
      name,
      [fastest(report, name), latencyMs.median, latencyMs.p95, latencyMs.p99].map(ms).join(", "),
      ...[splitMs.encode, splitMs.send, splitMs.wait, splitMs.decode].map(ms),
      ...[bytes.payload, bytes.mqtt, bytes.wire].map(count),
      ssim.toFixed(4),
      mae.toFixed(4),
    ]),
  );
  print(
    [
      "mJ per record and device",
      "transmit",
      "receive",
      "compute",
      "promotion + tail",
      "all, 1 a wake-up",
      "5",
      "20",
    ],
    Object.entries(report.arms).map(([name, { energyJ }]) => {
      const { transmit, receive, compute, promotion, tail } = energyJ[1];
      const totals = [1, 5, 20].map((k) => energyJ[k].total);
      return [
        name,
        ...[transmit, receive, compute, promotion + tail, ...totals].map((j) => milli(j)),
      ];
    }),
  );
  print(
    [
      "times less than raw",
      "latency",
      "of the fastest",
      "from idle",
      "payload",
      "wire",
      "transmit J",
      "radio J, 1 a wake-up",
      "5",
      "20",
    ],
    Object.entries(report.lessThanRaw).map(([name, ratio]) => [
      name,
      ...[
        ratio.latency,
        fastest(report, "raw") / fastest(report, name),
        ratio.latencyFromIdle,
        ratio.payload,
        ratio.wire,
        ratio.transmitEnergy,
      ].map(times),
      ...[1, 5, 20].map((k) => times(ratio.radioEnergy[k])),
    ]),
  );
}

/** The record that the machine's other programs disturbed least. */
function fastest({ samples }, name) {
  const own = samples.filter(({ arm }) => arm === name);
  const latencies = own.map(({ devices, decodeMs }) => {
    const parts = devices.map(({ encodeMs, sendMs, waitMs }) => encodeMs + sendMs + waitMs);
    return parts.reduce((sum, part) => sum + part, 0) / parts.length + decodeMs;
  });
  return Math.min(...latencies);
}

function print(header, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  console.log(line(header));
  console.log(`|---|${"---:|".repeat(header.length - 1)}`);
  for (const row of rows) console.log(line(row));
  console.log("");
}

function ms(value) {
  return value < 9.95 ? value.toFixed(1) : value.toFixed(0);
}

function milli(joules) {
  return Number((1000 * joules).toPrecision(3)).toString();
}

function times(value) {
  return value >= 99.5 ? value.toFixed(0) : value.toPrecision(2);
}

function count(value) {
  return Math.round(value).toLocaleString("en");
}
