/** `epic simulate`: velocity maps and their seismic records as files in OpenFWI's layout. */
import { availableParallelism } from "node:os";
import { Command, Option } from "commander";
import { FAMILIES, type FamilyName } from "../physics/families/index.ts";
import type { Boundary, Region } from "../physics/index.ts";
import {
  action,
  addJsonOption,
  MisuseError,
  type Progress,
  parseIntOption,
  printJson,
  progressBar,
} from "./common.ts";
import { stopSignal } from "./lifetime.ts";
import { type MapSource, simulateFiles } from "./simulateFiles.ts";
import { addSurveyOptions, readSurvey, type SurveyOptions } from "./surveyOption.ts";

export {
  type MapSource,
  type SimulateOptions,
  type SimulateResult,
  simulateFiles,
} from "./simulateFiles.ts";

interface Flags extends SurveyOptions {
  family?: FamilyName;
  count?: number;
  seed: number;
  maps?: string;
  out: string;
  boundary: Boundary;
  region?: Region;
  startIndex: number;
  threads: number;
  json?: boolean;
}

export function simulateCommand(): Command {
  const command = new Command("simulate")
    .description("model seismic records: data*.npy and model*.npy in OpenFWI's layout")
    .addOption(new Option("--family <name>", "family of velocity maps").choices(FAMILIES))
    .option("-n, --count <n>", "number of maps", parseIntOption("-n", 1, 10_000_000))
    .option("--seed <s>", "seed of the family", parseIntOption("--seed", 0, 2 ** 32 - 1), 0)
    .option(
      "--maps <file>",
      "velocity maps instead, .npy, .npz, .sgy, of the survey's grid: (N,1,70,70), (N,70,70) or (70,70), m/s",
    )
    .requiredOption("-o, --out <dir>", "folder for the files; a stopped run continues there")
    .addOption(
      new Option(
        "--boundary <name>",
        "openfwi: the data sets' own scheme; fast: a tenth of the work",
      )
        .choices(["openfwi", "fast"])
        .default("openfwi"),
    )
    .addOption(
      new Option(
        "--region <name>",
        "cells that each step computes. all: the whole grid (default with openfwi); reached: those " +
          "that the wave has reached and a receiver can hear (default with fast; differs by rounding)",
      ).choices(["all", "reached"]),
    )
    .option(
      "--start-index <k>",
      "index of the first map",
      parseIntOption("--start-index", 0, 1e12),
      0,
    )
    .option(
      "--threads <n>",
      "worker threads; the files do not depend on it",
      parseIntOption("--threads", 1, 256),
      availableParallelism(),
    );
  return addJsonOption(addSurveyOptions(command)).action(action(run));
}

async function run(flags: Flags): Promise<void> {
  const source = mapSource(flags);
  const survey = await readSurvey(flags);
  let progress: Progress | undefined;
  try {
    const result = await simulateFiles({
      source,
      out: flags.out,
      boundary: flags.boundary,
      ...(flags.region && { region: flags.region }),
      survey,
      startIndex: flags.startIndex,
      threads: flags.threads,
      onStart: (records) => {
        progress = progressBar(records, "simulate");
      },
      onRecord: () => progress?.advance(),
      signal: stopSignal(),
    });
    progress?.stop();
    const { records, skipped, files } = result;
    if (flags.json) printJson({ ...result, boundary: flags.boundary, out: flags.out });
    else console.log(`${records} records in ${files.length} files (${skipped} were there already)`);
  } finally {
    progress?.stop();
  }
}

function mapSource({ family, count, seed, maps }: Flags): MapSource {
  if (maps !== undefined) {
    if (family !== undefined)
      throw new MisuseError("simulate: expected --family or --maps, got both");
    return { maps, ...(count !== undefined && { count }) };
  }
  if (family === undefined)
    throw new MisuseError("simulate: expected --family or --maps, got neither");
  if (count === undefined) throw new MisuseError("simulate: expected -n with --family, got none");
  return { family, seed, count };
}
