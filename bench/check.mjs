// Guards the speed: compares every kernel's and stage's share of the measured peak with the committed record, and names what
// fell by more than 15 %. Shares, not times: a slower or busier machine has a lower peak too.
//   npm run bench:check                 exits 1 if anything fell; a row is measured again, up to twice, before it counts
//   npm run bench:check -- --write      writes bench/record.json for this Node's major version, after a change that is meant
//   npm run bench:check -- igemm full   only what `epic bench` knows under these names
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const FALL_MAX = 0.15;
const ATTEMPTS = 3;
const recordFile = fileURLToPath(new URL("record.json", import.meta.url));
const cli = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    write: { type: "boolean", default: false },
    record: { type: "string", default: recordFile },
    ms: { type: "string", default: "40" },
  },
});
const key = `node${process.versions.node.split(".")[0]}`;
const record = existsSync(values.record) ? JSON.parse(readFileSync(values.record, "utf8")) : {};

if (values.write) write();
else process.exit(check() ? 0 : 1);

function write() {
  const shares = measure(positionals);
  const { [key]: before } = record;
  record[key] = {
    machine: { cpu: os.cpus()[0].model, node: process.versions.node },
    date: new Date().toISOString().slice(0, 10),
    command: "npm run bench:check -- --write",
    shares: { ...(positionals.length > 0 && before?.shares), ...shares },
  };
  writeFileSync(values.record, `${JSON.stringify(record, null, 2)}\n`);
  console.log(`${Object.keys(shares).length} shares of peak written for ${key}`);
}

/** Whether nothing fell. */
function check() {
  const wanted = record[key];
  if (wanted === undefined) {
    const known = Object.keys(record).join(", ") || "none";
    console.error(`bench:check: expected a record for ${key} in ${values.record}, got ${known}`);
    process.exit(2);
  }
  if (wanted.machine.cpu !== os.cpus()[0].model) {
    console.log(
      `The record is of another processor (${wanted.machine.cpu}): shares may differ without a fault.`,
    );
  }
  const best = measure(positionals);
  for (let attempt = 1; attempt < ATTEMPTS && fallen(best, wanted.shares).length > 0; attempt++) {
    const again = measure([
      ...new Set(fallen(best, wanted.shares).map(({ row }) => row.split(" ")[0])),
    ]);
    for (const [row, share] of Object.entries(again)) {
      best[row] = Math.max(best[row] ?? 0, share);
    }
  }
  const falls = fallen(best, wanted.shares);
  for (const { row, share, was } of falls) {
    console.log(
      `${row}: ${percent(share)} of peak, was ${percent(was)}: ${percent(1 - share / was)} less`,
    );
  }
  const rows = Object.keys(best);
  const unknown = rows.filter((row) => !(row in wanted.shares));
  const compared = rows.length - unknown.length;
  if (unknown.length > 0) console.log(`not in the record: ${unknown.join(", ")}`);
  const gone =
    positionals.length > 0 ? [] : Object.keys(wanted.shares).filter((row) => !(row in best));
  if (gone.length > 0) console.log(`no longer measured: ${gone.join(", ")}`);
  console.log(
    `${compared - falls.length} of ${compared} shares of peak within ${percent(FALL_MAX)} of the record of ${wanted.date}`,
  );
  return falls.length === 0 && gone.length === 0 && compared > 0;
}

function fallen(shares, recorded) {
  return Object.entries(shares)
    .filter(([row, share]) => row in recorded && share < recorded[row] * (1 - FALL_MAX))
    .map(([row, share]) => ({ row, share, was: recorded[row] }));
}

/** Share of peak by "name module". */
function measure(names) {
  const args = [cli, "bench", ...names, "--json", "--rounds", "7", "--ms", values.ms];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (status !== 0) {
    console.error(`bench:check: epic bench failed: ${stderr.trim()}`);
    process.exit(2);
  }
  const rows = JSON.parse(stdout).results.filter(
    ({ name, peakShare }) => peakShare !== null && !name.startsWith("peak "),
  );
  return Object.fromEntries(
    rows.map(({ name, module, peakShare }) => [`${name} ${module}`, Number(peakShare.toFixed(4))]),
  );
}

function percent(share) {
  return `${Math.round(share * 100)} %`;
}
