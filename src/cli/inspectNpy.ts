/** `epic inspect` on an npy file. */
import { formatBytes } from "../io/format.ts";
import { formatShape, NpyRecords } from "../io/npy.ts";
import type { Description } from "./description.ts";
import { formatFacts } from "./table.ts";

interface Range {
  min: number;
  max: number;
  sum: number;
}

/** Reads every value once. Throws NpyError as the other commands would. */
export async function describeNpy(path: string): Promise<Description> {
  const file = await NpyRecords.open(path);
  try {
    const range = await measure(file);
    const bytes = file.total * 4;
    const mean = range.sum / file.total;
    const values: [string, string][] =
      file.total === 0
        ? []
        : [
            ["range", `${range.min.toPrecision(6)} to ${range.max.toPrecision(6)}`],
            ["mean", mean.toPrecision(6)],
          ];
    const text = formatFacts([
      ["npy file", `float32, C order, ${formatBytes(bytes)}`],
      ["shape", `${formatShape(file.shape)}${guess(file.shape)}`],
      ...values,
    ]);
    const statistics = file.total === 0 ? {} : { min: range.min, max: range.max, mean };
    return { text, fields: { dtype: "<f4", shape: file.shape, bytes, ...statistics } };
  } finally {
    await file.close();
  }
}

async function measure(file: NpyRecords): Promise<Range> {
  const range: Range = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, sum: 0 };
  for (let i = 0; i < file.count; i++) {
    for (const value of await file.read(i)) {
      range.min = Math.min(range.min, value);
      range.max = Math.max(range.max, value);
      range.sum += value;
    }
  }
  return range;
}

/** What OpenFWI's layouts look like. */
function guess(shape: readonly number[]): string {
  const [records, channels] = shape;
  if (shape.length === 4 && channels === 1) return `: ${records} velocity maps`;
  if (shape.length === 4) return `: ${records} records (record, shot, sample, receiver)`;
  return "";
}
