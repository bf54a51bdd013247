/** `--model DIR` and `--survey FILE`: which survey to make maps or records for. */
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { loadModelHalf } from "../io/modelFiles.ts";
import { type Geometry, ModelFile, parseGeometry } from "../model/index.ts";
import { lineSurvey, OPENFWI_SURVEY, type SurveyGeometry } from "../physics/index.ts";
import { MisuseError } from "./common.ts";

export interface SurveyOptions {
  model?: string;
  survey?: string;
}

export function addSurveyOptions(command: Command): Command {
  return command
    .option("--model <dir>", "the survey of that model, instead of OpenFWI's")
    .option(
      "--survey <file>",
      "the survey of a model to be: its config, or the `geometry` of it, JSON",
    );
}

/** OpenFWI's, a model's, or that of a file. */
export async function readSurvey({ model, survey }: SurveyOptions): Promise<SurveyGeometry> {
  if (model !== undefined && survey !== undefined) {
    throw new MisuseError("--survey: expected it or --model, got both");
  }
  if (model !== undefined) {
    const { config } = await ModelFile.read(await loadModelHalf("edge", model), "edge");
    return lineSurvey(config.geometry);
  }
  return survey === undefined ? OPENFWI_SURVEY : lineSurvey(await readGeometry(survey));
}

/** @throws Error naming the file and what is wrong in it */
async function readGeometry(path: string): Promise<Geometry> {
  const json = await readFile(path, "utf8");
  try {
    return parseGeometry(json);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
}
