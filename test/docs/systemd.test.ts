/** The unit files of the deployment guide, read by systemd itself where it is there. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { scratch } from "../edge/smallSurvey.ts";

const folder = fileURLToPath(new URL("../../docs/systemd/", import.meta.url));
const units = readdirSync(folder).filter((name) => name.endsWith(".service"));
const EXPOSURE_MAX = 2;

describe("systemd units", () => {
  it("are those of the three processes, with options that the commands have", async () => {
    expect(units.sort()).toEqual([
      "epic-broker.service",
      "epic-central.service",
      "epic-edge.service",
    ]);
    const commands = {
      broker: (await import("../../src/cli/broker.ts")).brokerCommand(),
      central: (await import("../../src/cli/central.ts")).centralCommand(),
      edge: (await import("../../src/cli/edge.ts")).edgeCommand(),
    };
    for (const [name, command] of Object.entries(commands)) {
      const text = readFileSync(join(folder, `epic-${name}.service`), "utf8");
      const line = /^ExecStart=(\S+ \S+)((?:.*\\\n)*.*)$/m.exec(text)!;
      expect(line[1]).toBe(`/usr/local/bin/epic ${name}`);
      const options = line[2]!.match(/--[a-z-]+/g)!;
      const known = command.options.map(({ long }) => long);
      expect(options.filter((option) => !known.includes(option))).toEqual([]);
    }
  });

  it("are understood by systemd, and leave the processes little", async (context) => {
    if (spawnSync("systemd-analyze", ["--version"]).status !== 0) {
      console.log("systemd units: skipped, no systemd-analyze here");
      return context.skip();
    }
    const { path, dispose } = await scratch();
    for (const unit of units) {
      // The program is not installed on the machine that tests.
      const text = readFileSync(join(folder, unit), "utf8");
      const file = join(path, unit);
      writeFileSync(file, text.replace("/usr/local/bin/epic", process.execPath));
      const verified = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
      expect(`${verified.stdout}${verified.stderr}`.split("\n").filter(mentions(unit))).toEqual([]);
      const security = ["security", "--offline=true", "--no-pager", file];
      const rated = spawnSync("systemd-analyze", security, { encoding: "utf8" });
      const exposure = /exposure level for \S+: ([\d.]+)/.exec(rated.stdout)?.[1];
      expect(Number(exposure), unit).toBeLessThan(EXPOSURE_MAX);
    }
    await dispose();
  });
});

/** Complaints about this unit; systemd adds some about the machine's own. */
function mentions(unit: string): (line: string) => boolean {
  return (line) => line.includes(unit);
}
