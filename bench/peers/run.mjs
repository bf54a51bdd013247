/**
 * Our network on other engines and on ours: one process per engine and Node, in turns, pinned to one core.
 *
 *     npm run bench:peers [-- --rounds N] [--core C] [--out FILE.json] [--prepare] [--node 20|26] [--no-browser]
 *
 * Writes bench/peers.json and, from it, bench/RESULTS.md. --prepare makes and installs what is missing and measures nothing.
 * With everything in place a run of three rounds takes about seven minutes. The first installs the engines, two Python environments
 * and a newer Node; an engine that cannot be had is named with its reason and left out.
 */
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CONTESTANTS } from "./contestants.mjs";
import { prepare } from "./prepare.mjs";
import { report } from "./report.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const PROCESS_TIMEOUT_MS = 180_000;
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    core: { type: "string", default: String(os.cpus().length - 1) },
    out: { type: "string", default: join(root, "bench/peers.json") },
    prepare: { type: "boolean", default: false },
    node: { type: "string" },
    "no-browser": { type: "boolean", default: false },
  },
});

const say = (line) => process.stderr.write(`bench:peers: ${line}\n`);
const { models, sizes, missing } = await prepare(say);
const nodes = nodeBinaries();
if (values.prepare) process.exit(missing.length > 0 ? 1 : 0);

const [loadBefore] = os.loadavg();
const skipped = new Map(missing.map(({ what, why }) => [what, why]));
const compared = CONTESTANTS.map((contestant) => compareOnce(contestant)).filter(Boolean);
const running = CONTESTANTS.filter(({ id }) => compared.some((row) => row.id === id));
const samples = [];
for (let round = 0; round < Number(values.rounds); round++) {
  for (const node of nodes) {
    for (const contestant of running.filter((one) => !one.turbo || node.major >= 24)) {
      say(`round ${round + 1}: ${contestant.id}, Node ${node.major}`);
      const sample = child(node.path, ["bench/peers/measure.mjs", contestant.id, models]);
      if (sample.error) skipped.set(`${contestant.id}, Node ${node.major}`, sample.error);
      else samples.push(sample);
    }
  }
}
const chromium = values["no-browser"] ? [] : inChromium();
const record = {
  about: "bench/peers: milliseconds per run of one network on several engines, one thread",
  date: new Date().toISOString(),
  command: `npm run bench:peers${process.argv.length > 2 ? ` -- ${process.argv.slice(2).join(" ")}` : ""}`,
  machine: {
    cpu: os.cpus()[0].model,
    cores: os.cpus().length,
    core: pinning() ? Number(values.core) : null,
    system: `${os.type()} ${os.release()}`,
  },
  loadBefore,
  modelId: sizes.modelId,
  contestants: CONTESTANTS.map(({ id, name, form, kind }) => ({ id, name, form, kind })),
  compared,
  samples,
  chromium,
  skipped: [...skipped].map(([what, why]) => ({ what, why })),
};
writeFileSync(values.out, `${JSON.stringify(record, null, 1)}\n`);
if (values.out === join(root, "bench/peers.json"))
  writeFileSync(join(root, "bench/RESULTS.md"), report(record));
process.stdout.write(report(record));

/** This Node and one that has relaxed SIMD, or just one of them. */
function nodeBinaries() {
  const here = { path: process.execPath, major: Number(process.versions.node.split(".")[0]) };
  const found = [here];
  if (here.major < 22) {
    const script =
      "process.stdout.write('@@' + JSON.stringify([process.execPath, process.versions.node]))";
    const probe = join(root, "build", "peers-which-node.mjs");
    writeFileSync(probe, script);
    const { stdout } = spawnSync(process.execPath, ["scripts/newer-node.mjs", probe], {
      cwd: root,
      encoding: "utf8",
    });
    const at = stdout?.indexOf("@@") ?? -1;
    if (at >= 0) {
      const [path, version] = JSON.parse(stdout.slice(at + 2));
      found.push({ path, major: Number(version.split(".")[0]) });
    }
  }
  return values.node ? found.filter(({ major }) => major === Number(values.node)) : found;
}

/** How far this engine's maps are from ours; undefined where it does not run here. */
function compareOnce(contestant) {
  const node = contestant.turbo ? nodes.find(({ major }) => major >= 24) : nodes[0];
  if (node === undefined) {
    skipped.set(contestant.id, "it needs Node 24 or later");
    return undefined;
  }
  say(`comparing ${contestant.id}`);
  const row = child(node.path, ["bench/peers/measure.mjs", contestant.id, models, "--compare"]);
  if (!row.error) return row;
  skipped.set(contestant.id, row.error);
  say(`without ${contestant.id}: ${row.error}`);
  return undefined;
}

function inChromium() {
  say("Chromium");
  const rounds = [];
  for (let round = 0; round < 2; round++) {
    const rows = children(process.execPath, ["bench/peers/browser.mjs", models]);
    for (const row of rows) {
      if (row.error) skipped.set(`${row.id ?? "all"}, Chromium`, row.error);
      else rounds.push(row);
    }
  }
  return rounds;
}

function child(node, args) {
  return children(node, args)[0] ?? { error: "it printed no result" };
}

/** Runs a script on the chosen core and reads the lines of JSON it prints behind @@. */
function children(node, args) {
  const [command, ...rest] = pinning()
    ? ["taskset", "-c", values.core, node, ...args]
    : [node, ...args];
  const options = { cwd: root, encoding: "utf8", timeout: PROCESS_TIMEOUT_MS, maxBuffer: 1 << 28 };
  const { status, stdout, stderr, signal } = spawnSync(command, rest, options);
  const rows = (stdout ?? "")
    .split("\n")
    .filter((line) => line.startsWith("@@"))
    .map((line) => JSON.parse(line.slice(2)));
  if (rows.length > 0 && (status === 0 || signal === null)) return rows;
  if (signal) return [{ error: `stopped after ${PROCESS_TIMEOUT_MS / 1000} s` }];
  return [{ error: firstError(stderr) }];
}

function pinning() {
  return process.platform === "linux" && existsSync("/usr/bin/taskset");
}

function firstError(text) {
  const lines = text.split("\n").map((line) => line.trim());
  return (lines.find((line) => /Error/.test(line)) ?? lines.find(Boolean) ?? "no output").slice(
    0,
    200,
  );
}
