/** `epic maps`: velocity maps without their records, to be modelled elsewhere. */
import { join } from "node:path";
import { Command } from "commander";
import { makeFolder, writeFileAtomic } from "../io/atomic.ts";
import { npyHeader } from "../io/npy.ts";
import { FAMILIES, type FamilyName, isFamilyName, velocityMap } from "../physics/families/index.ts";
import type { SurveyGeometry } from "../physics/index.ts";
import {
  action,
  addJsonOption,
  checkOutputFolder,
  type JsonOptions,
  MisuseError,
  parseIntOption,
  printJson,
  progressBar,
} from "./common.ts";
import { addSurveyOptions, readSurvey, type SurveyOptions } from "./surveyOption.ts";

interface Options extends JsonOptions, SurveyOptions {
  family: string[];
  count: number;
  seed: number;
  startIndex: number;
  packed?: boolean;
  out: string;
}

/** Steps of a packed velocity in one m/s. */
const stepsPerMps = 10;

export function mapsCommand(): Command {
  const command = new Command("maps")
    .description(
      "Write velocity maps without records: .npy float32 (N, 1, 70, 70), m/s, the same as simulate's.\n" +
        "train/forward.py models them on a machine with a GPU, which needs no Node then.",
    )
    .requiredOption("--family <name...>", `families: ${FAMILIES.join(", ")} or all`)
    .requiredOption("-n, --count <n>", "maps per family", parseIntOption("-n", 1, 10_000_000))
    .option("--seed <s>", "seed of the families", parseIntOption("--seed", 0, 2 ** 32 - 1), 0)
    .option(
      "--start-index <k>",
      "index of the first map",
      parseIntOption("--start-index", 0, 2 ** 32 - 1),
      0,
    )
    .option("--packed", "uint16 in units of 0.1 m/s, (N, 70, 70): half the bytes")
    .requiredOption(
      "-o, --out <path>",
      "a file that ends in .npy, or a folder for {family}.seed{s}.{k}.{n}.npy",
    );
  return addJsonOption(addSurveyOptions(command)).action(action(writeMaps));
}

async function writeMaps(options: Options): Promise<void> {
  const families = familyNames(options.family);
  const survey = await readSurvey(options);
  const single = options.out.endsWith(".npy");
  if (single && families.length > 1) {
    throw new MisuseError(`-o: expected a folder for ${families.length} families, got a file`);
  }
  if (options.startIndex + options.count > 2 ** 32) {
    throw new MisuseError("--start-index: expected the last map's index below 2^32, got more");
  }
  if (!single) {
    await checkOutputFolder(options.out);
    await makeFolder(options.out);
  }
  const files: string[] = [];
  for (const family of families) {
    const path = single ? options.out : join(options.out, fileName(family, options));
    await writeFamily(path, family, options, survey);
    files.push(path);
  }
  const maps = families.length * options.count;
  if (options.json) printJson({ maps, seed: options.seed, files });
  else process.stdout.write(`${maps} maps in ${files.length} files\n`);
}

/** Names that train/forward.py turns into names of shards. */
function fileName(family: FamilyName, { seed, startIndex, count }: Options): string {
  return `${family}.seed${seed}.${String(startIndex).padStart(6, "0")}.${count}.npy`;
}

async function writeFamily(
  path: string,
  family: FamilyName,
  options: Options,
  survey: SurveyGeometry,
): Promise<void> {
  const progress = progressBar(options.count, family);
  try {
    await writeFileAtomic(path, fileParts(family, options, survey, progress.advance));
  } finally {
    progress.stop();
  }
}

async function* fileParts(
  family: FamilyName,
  { count, seed, startIndex, packed }: Options,
  { rows, columns }: SurveyGeometry,
  onMap: () => void,
): AsyncGenerator<Uint8Array> {
  yield packed
    ? npyHeader([count, rows, columns], "<u2")
    : npyHeader([count, 1, rows, columns], "<f4");
  for (let i = 0; i < count; i++) {
    const map = velocityMap(family, seed, startIndex + i, [rows, columns]);
    const values = packed ? Uint16Array.from(map, pack) : map;
    yield new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    onMap();
  }
}

/** Rounds as NumPy does, so that shards made from packed maps hold the same ones as train/data.py's. */
function pack(mps: number): number {
  const steps = Math.fround(mps * stepsPerMps);
  const rounded = Math.round(steps);
  return rounded - steps === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function familyNames(names: readonly string[]): FamilyName[] {
  if (names.includes("all")) return [...FAMILIES];
  return names.map((name) => {
    if (isFamilyName(name)) return name;
    throw new MisuseError(`--family: expected ${FAMILIES.join(", ")} or all, got "${name}"`);
  });
}
