/** `epic gaps`: accounts for every record of a survey's results. */
import { Command } from "commander";
import { type GapReport, gapReport, type RecordGaps } from "../central/gapReport.ts";
import { action, addJsonOption, type JsonOptions, MisuseError, printJson } from "./common.ts";

interface Options extends JsonOptions {
  from?: bigint;
  to?: bigint;
}

const LINES_MAX = 50;

export function gapsCommand(): Command {
  const command = new Command("gaps")
    .description(
      "Account for every record of a survey: which results are complete, which devices the others\n" +
        "lack, and why. Exit code 1 when a frame is missing and no device has said why.",
    )
    .argument("<out...>", "result folders of the survey's central nodes")
    .option("--from <record>", "first record expected (default: the first found)", recordId("from"))
    .option("--to <record>", "last record expected (default: the last found)", recordId("to"));
  return addJsonOption(command).action(action(gaps));
}

async function gaps(outs: string[], options: Options): Promise<void> {
  const { from, to } = options;
  const report = await gapReport(outs, {
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  });
  if (options.json) printJson(report);
  else process.stdout.write(`${describe(report)}\n`);
  if (report.unnamedFrames > 0) process.exitCode = 1;
}

function describe(report: GapReport): string {
  const { from, to, records, complete, partial, missing, namedFrames, unnamedFrames } = report;
  const lines = [
    `records ${from} to ${to}: ${complete} of ${records} complete, ` +
      `${partial.length} partial, ${missing.length} without a result`,
    `frames missing: ${namedFrames} with a reason, ${unnamedFrames} without`,
  ];
  const all = [...missing, ...partial];
  lines.push(...all.slice(0, LINES_MAX).map(describeRecord));
  if (all.length > LINES_MAX) lines.push(`and ${all.length - LINES_MAX} more (--json has all)`);
  return lines.join("\n");
}

function describeRecord({ record, devices }: RecordGaps): string {
  const why = devices.map(({ device, reason }) => `device ${device} ${reason ?? "not heard of"}`);
  return `${record}: ${why.join(", ")}`;
}

function recordId(name: string): (text: string) => bigint {
  return (text) => {
    if (!/^\d{1,20}$/.test(text) || BigInt(text) >= 2n ** 64n) {
      throw new MisuseError(`--${name}: expected a record id 0 to 2^64 - 1, got "${text}"`);
    }
    return BigInt(text);
  };
}
