/** `epic convert`: records or velocity maps from one file format to another. */
import { stat } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { Command, Option } from "commander";
import { type FileContents, writeFileAtomic } from "../io/atomic.ts";
import { formatBytes } from "../io/format.ts";
import {
  formatShape,
  type NpyExpectation,
  npyHeader,
  seismicExpectation,
  velocityExpectation,
} from "../io/npy.ts";
import { encodeNpz } from "../io/npz.ts";
import type { RecordFile } from "../io/recordFile.ts";
import { isSegyName, openRecords, splitArrayName } from "../io/records.ts";
import {
  type SegyGeometry,
  type SegyKind,
  SegyRecords,
  type SegySampleFormat,
  writeSegy,
} from "../io/segy.ts";
import { OPENFWI_SURVEY } from "../physics/index.ts";
import {
  action,
  addJsonOption,
  checkOutputFolder,
  type JsonOptions,
  MisuseError,
  type Progress,
  parseIntOption,
  printJson,
  progressBar,
} from "./common.ts";
import { announceConversions } from "./openInput.ts";
import { formatFacts } from "./table.ts";

interface Options extends JsonOptions {
  as?: SegyKind;
  format: SegySampleFormat;
  dtMs?: number;
  dxM?: number;
  sources?: number[];
  shots?: number;
}

/** An input and what its values are. */
interface Input {
  readonly file: RecordFile;
  readonly kind: SegyKind;
}

export function convertCommand(): Command {
  const command = new Command("convert")
    .description(
      "Convert records or velocity maps between .npy, .npz and SEG-Y (.sgy, .segy), as float32.\n" +
        "Formats go by the files' names; FILE.npz:NAME is one array of an archive.",
    )
    .argument("<in>", "records (N, shots, samples, receivers) or maps (N, 1, rows, columns)")
    .argument("<out>", "file to write, .npy, .npz or .sgy")
    .addOption(
      new Option("--as <kind>", "what the values are (default: by shape or headers)").choices([
        "records",
        "maps",
      ]),
    )
    .addOption(
      new Option("--format <name>", "samples of a SEG-Y output; ibm rounds to 21 bits or more")
        .choices(["ieee", "ibm"])
        .default("ieee"),
    )
    .option("--dt-ms <t>", "sample interval for a SEG-Y output (default: 1)", positive("--dt-ms"))
    .option("--dx-m <x>", "step of receivers or map cells (default: 10)", positive("--dx-m"))
    .option("--sources <x,...>", "source positions, m (default: from end to end)", parsePositions)
    .option(
      "--shots <n>",
      "shots per record of a SEG-Y input (default: until a source position comes again)",
      parseIntOption("--shots", 1, 100_000),
    );
  return addJsonOption(command).action(action(convert));
}

async function convert(path: string, out: string, options: Options): Promise<void> {
  const ending = checkOutput(out);
  await checkOutputFolder(dirname(out));
  const input = await openInput(path, options);
  const { file, kind } = input;
  announceConversions(path, file);
  const progress = progressBar(file.count, "convert");
  try {
    await writeFileAtomic(out, await contents(input, ending, options, progress));
  } finally {
    progress.stop();
    await file.close();
  }
  const bytes = (await stat(out)).size;
  const { shape, conversions } = file;
  if (options.json) printJson({ in: path, out, kind, shape, conversions, bytes });
  else {
    const facts = formatFacts([
      [kind, formatShape(shape)],
      ["written", `${out}, ${formatBytes(bytes)}`],
    ]);
    process.stdout.write(`${facts}\n`);
  }
}

type Ending = "npy" | "npz" | "segy";

function checkOutput(out: string): Ending {
  const ending = extname(out).toLowerCase();
  if (isSegyName(out)) return "segy";
  if (ending === ".npy" || ending === ".npz") return ending === ".npy" ? "npy" : "npz";
  throw new MisuseError(`out: expected a name ending in .npy, .npz, .sgy or .segy, got ${out}`);
}

async function openInput(path: string, { as: kind, shots }: Options): Promise<Input> {
  if (isSegyName(splitArrayName(path).file)) {
    const file = await SegyRecords.open(path, undefined, { kind, shots });
    return { file, kind: file.layout.kind };
  }
  if (shots !== undefined) throw new MisuseError("--shots: expected with a SEG-Y input, got none");
  const unknown = await openRecords(path);
  await unknown.close();
  const known = kind ?? guessKind(unknown.shape);
  return { file: await openRecords(path, expectationFor(path, unknown.shape, known)), kind: known };
}

/** As OpenFWI's files are shaped. */
function guessKind(shape: readonly number[]): SegyKind {
  return shape.length === 4 && shape[1] !== 1 ? "records" : "maps";
}

function expectationFor(path: string, shape: readonly number[], kind: SegyKind): NpyExpectation {
  const axes = shape.length;
  const [shots, rows, columns] = [shape.at(-3) ?? 1, shape.at(-2) ?? 0, shape.at(-1) ?? 0];
  const isKnown = kind === "maps" ? axes >= 2 && axes <= 4 : axes === 4;
  if (!isKnown || shape.includes(0)) {
    const expected = "(N, shots, samples, receivers) or (N, 1, rows, columns)";
    throw new Error(`${path}: expected an array of shape ${expected}, got ${formatShape(shape)}`);
  }
  if (kind === "maps") return velocityExpectation([rows, columns]);
  return seismicExpectation({ shots, samples: rows, receivers: columns });
}

async function contents(
  { file, kind }: Input,
  ending: Ending,
  options: Options,
  progress: Progress,
): Promise<FileContents> {
  const read = async (index: number) => {
    const values = await file.read(index);
    progress.advance();
    return values;
  };
  if (ending === "segy") return writeSegy(segyGeometry(file, kind, options), options.format, read);
  if (ending === "npy") return npyParts(file, read);
  const data = new Float32Array(file.total);
  for (let i = 0; i < file.count; i++) data.set(await read(i), i * file.recordLength);
  return encodeNpz({ [kind === "maps" ? "model" : "data"]: { shape: file.shape, data } });
}

async function* npyParts(
  { shape, count }: RecordFile,
  read: (index: number) => Promise<Float32Array>,
): AsyncGenerator<Uint8Array> {
  yield npyHeader(shape);
  for (let i = 0; i < count; i++) {
    const { buffer, byteOffset, byteLength } = await read(i);
    yield new Uint8Array(buffer, byteOffset, byteLength);
  }
}

/** What the options say, then what a SEG-Y input says, then OpenFWI's steps. */
function segyGeometry(file: RecordFile, kind: SegyKind, options: Options): SegyGeometry {
  const { shape } = file;
  const [samples, width] = [shape.at(-2)!, shape.at(-1)!];
  const shots = kind === "maps" ? 1 : shape.at(-3)!;
  const origin = file instanceof SegyRecords ? file : undefined;
  const stated = options.dxM === undefined ? origin?.layout.positionsM : undefined;
  const dxM = options.dxM ?? OPENFWI_SURVEY.spacingM;
  const positionsM = stated ?? Array.from({ length: width }, (_, i) => i * dxM);
  const dtMs = options.dtMs ?? (origin ? origin.index.intervalUs / 1000 || 1 : 1);
  const statedSources = options.dxM === undefined ? origin?.layout.sourcesM : undefined;
  const sourcesM = options.sources ?? statedSources ?? spreadSources(shots, positionsM);
  if (kind === "records" && sourcesM.length !== shots) {
    throw new MisuseError(`--sources: expected ${shots} positions, got ${sourcesM.length}`);
  }
  const step = kind === "maps" ? dxM : dtMs;
  return { kind, count: file.count, shots, samples, width, step, sourcesM, positionsM };
}

/** OpenFWI's own places for its survey, otherwise evenly from the first receiver to the last. */
function spreadSources(shots: number, positionsM: readonly number[]): number[] {
  const { sources, receivers } = OPENFWI_SURVEY;
  if (shots === sources.length && positionsM.length === receivers.length) {
    return sources.map(({ column }) => positionsM[column]!);
  }
  const [first, last] = [positionsM[0]!, positionsM.at(-1)!];
  if (shots === 1) return [(first + last) / 2];
  return Array.from({ length: shots }, (_, i) => first + (i * (last - first)) / (shots - 1));
}

function positive(name: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value > 0 && value < 1e6)) {
      throw new MisuseError(`${name}: expected a number above 0, got "${text}"`);
    }
    return value;
  };
}

function parsePositions(text: string): number[] {
  const positions = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (!positions.every(Number.isFinite)) {
    throw new MisuseError(`--sources: expected numbers with commas between, got "${text}"`);
  }
  return positions;
}
