#!/usr/bin/env node
/**
 * Runs `epic testbed` on every link and puts its tables and picture into docs/testbed.md:
 *
 *     npm run testbed:docs                                 # about a quarter of an hour; wants a machine that does nothing else
 *     npm run testbed:docs -- --only 4g,wifi-bad --print   # some of the runs, their tables on stdout alone
 *
 * Raw data: build/testbed/RUN/testbed.json. The namespaces run is left out, with its reason, where there can be none.
 */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { whyNoNamespaces } from "../dist/testbed/namespaces.js";
import { runNode } from "./run-node.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DOC = join(ROOT, "docs", "testbed.md");
/** Shown in full; the others in the tables that compare links. */
const SHOWN = ["4g-namespaces", "4g"];
const RUNS = [
  { name: "wifi", link: "wifi", records: 50 },
  { name: "wifi-bad", link: "wifi-bad", records: 50 },
  { name: "4g", link: "4g", records: 50 },
  { name: "4g-namespaces", link: "4g", records: 50, more: ["--emulation", "namespaces"] },
  { name: "4g-edge", link: "4g-edge", records: 20 },
  { name: "nbiot", link: "nbiot", records: 3 },
];

const { values } = parseArgs({
  options: { only: { type: "string" }, print: { type: "boolean", default: false } },
});
const why = await whyNoNamespaces();
if (why !== undefined) console.error(`testbed:docs: no namespaces: ${why}`);
const runs = RUNS.filter(({ name }) => values.only?.split(",").includes(name) ?? true).filter(
  ({ more }) => more === undefined || why === undefined,
);
const loads = [];
for (const { name, link, records, more = [] } of runs) {
  loads.push(`${name} ${loadavg()[0].toFixed(1)}`);
  console.error(`${name}: ${records} records, load ${loadavg()[0].toFixed(1)}`);
  const out = ["--out", folderOf(name)];
  runNode(
    "dist/cli/main.js",
    "testbed",
    "--link",
    link,
    "--records",
    `${records}`,
    ...out,
    ...more,
  );
}
const shown = SHOWN.find((name) => runs.some((run) => run.name === name));
const head =
  `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores of ${cpus()[0].model}, Node ${process.versions.node}. ` +
  `Load average before each run: ${loads.join(", ")}. "Fastest" is the record that was\ndisturbed least.\n\n`;
const reportsOf = (names) => names.map((name) => join(folderOf(name), "testbed.json"));
const tables = (...args) => runNode("scripts/testbed-tables.mjs", ...args);
const full = shown === undefined ? "" : tables(...reportsOf([shown]));
const all = tables("--all-links", ...reportsOf(runs.map(({ name }) => name)));
const picture = "![Latency, bytes and energy of seven arms on 4g](images/testbed-4g.png)\n\n";
const section = `## Results\n\n${head}${picture}${full}### All links\n\n${all}`;
if (values.print) {
  console.log(section);
} else {
  replaceSection(section);
  if (shown)
    copyFileSync(join(folderOf(shown), "testbed.png"), join(ROOT, "docs/images/testbed-4g.png"));
  console.error(
    'docs/testbed.md: tables and picture written; "What it says" is to be read against them',
  );
}

function replaceSection(text) {
  const doc = readFileSync(DOC, "utf8");
  const [from, to] = ["## Results\n", "### Several records a wake-up\n"].map((line) =>
    doc.indexOf(line),
  );
  if (from < 0 || to < from) throw new Error(`${DOC}: expected its two headings, got others`);
  writeFileSync(DOC, doc.slice(0, from) + text + doc.slice(to));
}

function folderOf(name) {
  return join(ROOT, "build", "testbed", name);
}
