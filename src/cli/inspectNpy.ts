/** `epic inspect` on an npy file, and on an archive of them. */
import { formatBytes } from "../io/format.ts";
import { formatShape, NpyRecords } from "../io/npy.ts";
import { npzNames, openNpz } from "../io/npz.ts";
import type { RecordFile } from "../io/recordFile.ts";
import type { Description } from "./description.ts";
import { formatFacts } from "./table.ts";

interface Range {
  min: number;
  max: number;
  sum: number;
}

/** Reads every value once. Throws NpyError as the other commands would. */
export async function describeNpy(path: string): Promise<Description> {
  return describeArray("npy file", await NpyRecords.open(path));
}

/** Every array of an archive, as describeNpy would. */
export async function describeNpz(path: string): Promise<Description> {
  const texts: string[] = [];
  const arrays: Record<string, unknown> = {};
  for (const name of await npzNames(path)) {
    const { text, fields } = await describeArray(`array ${name}`, await openNpz(path, name));
    texts.push(text);
    arrays[name] = fields;
  }
  return { text: texts.join("\n\n"), fields: { arrays } };
}

/** Closes the file. */
async function describeArray(title: string, file: NpyRecords): Promise<Description> {
  try {
    const statistics = file.total === 0 ? undefined : await measure(file);
    const order = file.fortran ? "Fortran order" : "C order";
    const bytes = file.total * (file.dtype.endsWith("8") ? 8 : 4);
    const text = formatFacts([
      [title, `${describeType(file.dtype)}, ${order}, ${formatBytes(bytes)}`],
      ["shape", `${formatShape(file.shape)}${guess(file.shape)}`],
      ...describeRange(statistics),
    ]);
    const { dtype, shape } = file;
    const turned = file.fortran ? { fortranOrder: true } : {};
    return { text, fields: { dtype, ...turned, shape, bytes, ...statistics } };
  } finally {
    await file.close();
  }
}

export interface Statistics {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}

/** Over all values; the file holds some. */
export async function measure(file: RecordFile): Promise<Statistics> {
  const range: Range = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, sum: 0 };
  for (let i = 0; i < file.count; i++) {
    for (const value of await file.read(i)) {
      range.min = Math.min(range.min, value);
      range.max = Math.max(range.max, value);
      range.sum += value;
    }
  }
  return { min: range.min, max: range.max, mean: range.sum / file.total };
}

export function describeRange(statistics: Statistics | undefined): [string, string][] {
  if (!statistics) return [];
  const { min, max, mean } = statistics;
  return [
    ["range", `${min.toPrecision(6)} to ${max.toPrecision(6)}`],
    ["mean", mean.toPrecision(6)],
  ];
}

/** `float32`, `float64, big-endian`. */
function describeType(dtype: string): string {
  const name = dtype.endsWith("8") ? "float64" : "float32";
  return dtype.startsWith(">") ? `${name}, big-endian` : name;
}

/** What OpenFWI's layouts look like. */
function guess(shape: readonly number[]): string {
  const [records, channels] = shape;
  if (shape.length === 4 && channels === 1) return `: ${records} velocity maps`;
  if (shape.length === 4) return `: ${records} records (record, shot, sample, receiver)`;
  return "";
}
