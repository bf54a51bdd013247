/** `bench/check.mjs` against records that are made up from what it measures itself. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "epic-bench-check-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("names what fell by more than 15 % and passes what did not", { timeout: 300_000 }, () => {
  const file = join(folder, "record.json");
  const others = { node1: { shares: { "enc3 16x128x64 simd": 1 } } };
  writeFileSync(file, JSON.stringify(others));
  expect(check(file, "--write").status).toBe(0);
  const record = JSON.parse(readFileSync(file, "utf8")) as Record<string, { shares: Shares }>;
  expect(record.node1, "one file holds the records of several Nodes").toEqual(others.node1);
  const own = record[`node${process.versions.node.split(".")[0]}`];
  const rows = Object.keys(own!.shares);
  expect(rows).toContain("enc3 16x128x64 simd");

  scale(own!.shares, 0.3);
  writeFileSync(file, JSON.stringify(record));
  expect(check(file)).toMatchObject({ status: 0 });

  scale(own!.shares, 100);
  writeFileSync(file, JSON.stringify(record));
  const fell = check(file);
  expect(fell.status).toBe(1);
  expect(fell.stdout).toMatch(/^enc3 16x128x64 simd: \d+ % of peak, was \d+ %/m);
});

test("says so when there is no record for this Node", { timeout: 60_000 }, () => {
  const { status, stderr } = check(join(folder, "none.json"));
  expect(status).toBe(2);
  expect(stderr).toMatch(/expected a record for node\d+ .*got none/);
});

type Shares = Record<string, number>;

function scale(shares: Shares, factor: number): void {
  for (const row of Object.keys(shares)) shares[row]! *= factor;
}

function check(record: string, ...more: string[]) {
  const args = ["bench/check.mjs", "enc3", "--record", record, "--ms", "4", ...more];
  return spawnSync(process.execPath, args, { encoding: "utf8" });
}
