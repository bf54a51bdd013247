#!/usr/bin/env node
/**
 * The tables of docs/testbed.md from runs of `epic testbed --out DIR`:
 *
 *     node scripts/testbed-tables.mjs [--all-links] DIR/testbed.json...
 *
 * One run's tables each; with --all-links the two that compare runs instead. `npm run testbed:docs` makes the runs, too.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  options: { "all-links": { type: "boolean", default: false } },
  allowPositionals: true,
});
const reports = positionals.map((path) => JSON.parse(readFileSync(path, "utf8")));
if (values["all-links"]) printAllLinks();
else for (const report of reports) printRun(report);

function printRun(report) {
  const { link, records, emulation, node, module, modelId, seed, slowdown } = report;
  console.log(`### ${link.name}${isNamespaces(report) ? ", over network namespaces" : ""}\n`);
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
      ...[1, 5, 20].map((k) => timesFinely(ratio.radioEnergy[k])),
    ]),
  );
}

function printAllLinks() {
  const nameOf = (report) => `${report.link.name}${isNamespaces(report) ? ", namespaces" : ""}`;
  console.log(
    "Latency, medians (records per arm); the last three columns say how many times less `epic` takes than `raw`:\n",
  );
  const arms = ["raw", "raw-packed", "split", "epic", "epic-packed"];
  print(
    ["link", "raw ms", ...arms.slice(1), "of the medians", "of the fastest", "from idle"],
    reports.map((report) => [
      `${nameOf(report)} (${report.records})`,
      ...arms.map((arm) => count(report.arms[arm].latencyMs.median)),
      times(report.lessThanRaw.epic.latency),
      times(fastest(report, "raw") / fastest(report, "epic")),
      times(report.lessThanRaw.epic.latencyFromIdle),
    ]),
  );
  console.log(
    "Energy per record and device; the last five columns say how many times less than `raw`:\n",
  );
  print(
    [
      ...["link", "raw mJ sent", "epic", "epic-packed", "transmit, epic", "transmit, epic-packed"],
      ...["radio, epic-packed, 1 a wake-up", "5", "20"],
    ],
    reports.map((report) => {
      const { epic, "epic-packed": packed } = report.lessThanRaw;
      return [
        nameOf(report),
        ...["raw", "epic", "epic-packed"].map((arm) => milli(report.arms[arm].energyJ[1].transmit)),
        ...[epic.transmitEnergy, packed.transmitEnergy].map(times),
        ...[1, 5, 20].map((k) => timesFinely(packed.radioEnergy[k])),
      ];
    }),
  );
}

function isNamespaces({ emulation }) {
  return emulation.startsWith("network namespaces");
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

/** A hundredth matters where the radio's tail outweighs all that is sent. */
function timesFinely(value) {
  return value >= 99.5 ? value.toFixed(0) : value.toPrecision(3);
}

function count(value) {
  return Math.round(value).toLocaleString("en");
}
