/** bench/RESULTS.md, from the record that run.mjs writes. `node bench/peers/report.mjs` prints it again from bench/peers.json. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PARTS = ["encoder", "central", "decoder", "full"];

/** Above this load, before the race, others were at work: each number is then the best tenth of the quietest process. */
const QUIET_LOAD = 0.7;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = process.argv[2] ?? fileURLToPath(new URL("../peers.json", import.meta.url));
  process.stdout.write(report(JSON.parse(readFileSync(file, "utf8"))));
}

/** @param record what run.mjs wrote; @returns Markdown */
export function report(record) {
  const rows = summarise(record);
  const nodes = [...new Set(rows.map(({ node }) => node))].sort(
    (a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10),
  );
  const { machine } = record;
  const versions = record.contestants
    .map(({ id }) => rows.find((row) => row.id === id))
    .filter(Boolean)
    .map(({ name, version }) => `${name} ${version.replace(/ \(.*/, "")}`);
  const lines = [
    "# The same network on other engines",
    "",
    `Written by \`${record.command}\` on ${record.date.slice(0, 10)}, model \`${record.modelId}\`; every number is in [peers.json](peers.json).`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.core === null ? "not pinned" : `pinned to core ${machine.core}`}, ${machine.system}; load ${record.loadBefore.toFixed(2)} before it.`,
    `${[...new Set(versions)].join(", ")}. One thread each.`,
    "",
    ...(isBusy(record)
      ? [
          "**Other work ran on this machine meanwhile**: each number is the best tenth of the quietest process, and none is a result.",
          "",
        ]
      : []),
    isBusy(record)
      ? "Milliseconds per run. Other engines start from companded"
      : "Milliseconds per run: the median over processes, started in turns, of the median of one process. Other engines start from companded",
    "traces and leave the input stage out, ours starts from raw traces and checks and copies them. The ONNX files are",
    '`train/onnx_export.py`\'s (QDQ, u8 activations; "u8 throughout" quantises the first layer and the products of attention too), the',
    ".tflite files TensorFlow's own converter's, in that engine's own layout.",
  ];
  for (const node of nodes)
    lines.push(
      "",
      `## Node ${node}`,
      "",
      ...speedTable(rows.filter((row) => row.node === node)),
      "",
      ...ratios(rows.filter((row) => row.node === node)),
    );
  if (record.chromium.length > 0) lines.push("", ...chromiumTable(record));
  lines.push(
    "",
    "## Start-up and memory",
    "",
    ...coldTable(rows, nodes),
    "",
    "## How close",
    "",
    ...closeTable(record),
  );
  if (record.skipped.length > 0)
    lines.push(
      "",
      "## Left out",
      "",
      ...record.skipped.map(({ what, why }) => `* ${what}: ${why}`),
    );
  return `${lines.join("\n")}\n`;
}

/** One row per contestant and Node: medians over its processes. */
function summarise(record) {
  const { contestants, samples } = record;
  const rows = [];
  for (const node of new Set(samples.map((sample) => sample.node))) {
    for (const contestant of contestants) {
      const own = samples.filter((sample) => sample.id === contestant.id && sample.node === node);
      if (own.length === 0) continue;
      const over = (pick) => median(own.map(pick));
      rows.push({
        ...contestant,
        node,
        version: own[0].version,
        ms: Object.fromEntries(PARTS.map((part) => [part, partMs(record, own, part)])),
        readyMs: over(({ cold }) => cold.readyMs),
        coldMs: over(({ cold }) => cold.readyMs + cold.firstMs),
        overBareMb: over(({ cold }) => cold.peakMb - cold.bareMb),
      });
    }
  }
  return rows;
}

function speedTable(rows) {
  return [
    "| engine | numbers | encoder, one device | central | decoder | full record |",
    "|---|---|---|---|---|---|",
    ...rows.map(({ name, form, version, kind, ms }) => {
      const detail = /\((.*)\)/.exec(version)?.[1];
      const label =
        kind === "native" ? `${name}, native` : detail ? `**${name}**, ${detail}` : name;
      return `| ${label} | ${form} | ${PARTS.map((part) => ms[part].toFixed(3)).join(" | ")} |`;
    }),
  ];
}

/** Ours against the best of each kind, part by part; a loss reads as less than 1. */
function ratios(rows) {
  const ours = rows.filter(({ kind }) => kind === "ours");
  const rivals = [
    ["LiteRT.js int8", ({ name, form }) => name === "LiteRT.js" && form === "int8"],
    ["the best onnxruntime-web", ({ name }) => name === "onnxruntime-web"],
    ["the best WebAssembly engine", ({ kind }) => kind === "wasm"],
    ["the best native onnxruntime-node", ({ kind }) => kind === "native"],
  ];
  const lines = [
    "| times as fast as | encoder | central | decoder | full record |",
    "|---|---|---|---|---|",
  ];
  for (const one of ours) {
    for (const [label, belongs] of rivals) {
      const others = rows.filter(belongs);
      if (others.length === 0) continue;
      const cells = PARTS.map((part) =>
        (Math.min(...others.map(({ ms }) => ms[part])) / one.ms[part]).toFixed(2),
      );
      lines.push(`| ${one.name}: ${label} | ${cells.join(" | ")} |`);
    }
  }
  return lines;
}

function chromiumTable(record) {
  const { chromium, contestants } = record;
  const ids = contestants.map(({ id }) => id).filter((id) => chromium.some((row) => row.id === id));
  return [
    `## Headless Chromium ${chromium[0].chromium}`,
    "",
    "| engine | numbers | encoder | central | decoder | full record | import to first map |",
    "|---|---|---|---|---|---|---|",
    ...ids.map((id) => {
      const own = chromium.filter((row) => row.id === id);
      const { name, form } = contestants.find((one) => one.id === id);
      const cells = PARTS.map((part) => partMs(record, own, part).toFixed(3));
      const cold = median(own.map((row) => row.cold.readyMs + row.cold.firstMs)).toFixed(0);
      return `| ${name} | ${form} | ${cells.join(" | ")} | ${cold} |`;
    }),
  ];
}

function coldTable(rows, nodes) {
  return [
    "Import to the first map of the whole network, ms, and peak resident memory above the process before the import, MiB. The process has read its records",
    "by then, and an engine that needs no more than that left free shows as next to nothing: `npm run bench:cold` counts ours against a bare Node.",
    "",
    `| engine | numbers | ${nodes.flatMap((node) => [`Node ${node}, ms`, "MiB"]).join(" | ")} |`,
    `|---|---|${"---|".repeat(2 * nodes.length)}`,
    ...[...new Set(rows.map(({ id }) => id))].map((id) => {
      const cells = nodes.flatMap((node) => {
        const row = rows.find((one) => one.id === id && one.node === node);
        return row ? [row.coldMs.toFixed(0), row.overBareMb.toFixed(0)] : ["", ""];
      });
      const { name, form } = rows.find((row) => row.id === id);
      return `| ${name} | ${form} | ${cells.join(" | ")} |`;
    }),
  ];
}

function closeTable({ compared, contestants }) {
  return [
    `Maps of ${compared[0]?.records ?? 0} records, one of each family (seed 91; calibration on two of each at seed 77), in m/s: against ours, and each engine's own error against the truth.`,
    "",
    "| engine | numbers | mean | RMS | largest | mean error |",
    "|---|---|---|---|---|---|",
    ...compared.map(({ id, meanMps, rmsMps, maxMps, truthMps }) => {
      const { name, form } = contestants.find((one) => one.id === id);
      return `| ${name} | ${form} | ${[meanMps, rmsMps, maxMps, truthMps].map((value) => value.toFixed(1)).join(" | ")} |`;
    }),
  ];
}

function isBusy({ loadBefore }) {
  return loadBefore > QUIET_LOAD;
}

/** Milliseconds of a part over the processes of one contestant. */
function partMs(record, samples, part) {
  const times = samples.map(({ parts }) => parts[part]);
  if (isBusy(record)) return Math.min(...times.map(({ p10Ms }) => p10Ms));
  return median(times.map(({ medianMs }) => medianMs));
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
