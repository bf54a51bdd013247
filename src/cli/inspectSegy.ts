/** `epic inspect` on a SEG-Y file. */
import { formatBytes } from "../io/format.ts";
import { describeSegyShape, SegyRecords } from "../io/segy.ts";
import type { Description } from "./description.ts";
import { describeRange, measure } from "./inspectNpy.ts";
import { formatFacts } from "./table.ts";

/** Reads every value once. Throws SegyError as the other commands would. */
export async function describeSegy(path: string): Promise<Description> {
  const file = await SegyRecords.open(path);
  try {
    const statistics = await measure(file);
    const { index, layout } = file;
    const { header, text, traces, samples, intervalUs } = index;
    const isMap = layout.kind === "maps";
    const step = isMap ? `${intervalUs / 1000} m if depth` : `${intervalUs / 1000} ms`;
    const facts: [string, string][] = [
      [
        "SEG-Y file",
        `revision ${header.revision}, ${header.format.name}, text in ${text.encoding}`,
      ],
      [
        "traces",
        `${traces.count} of ${samples} samples, ${formatBytes(traces.count * index.stride)}`,
      ],
      ["interval", intervalUs === 0 ? "not stated" : step],
      ["shape", describeSegyShape(file)],
      [isMap ? "columns" : "receivers", describeSpan(layout.positionsM)],
      ...(isMap ? [] : [["sources", describeSpan(layout.sourcesM)] as [string, string]]),
      ...layout.notes.map((note) => ["note", note] as [string, string]),
      ...describeRange(statistics),
    ];
    const lines = text.lines.filter((line) => /^(C ?\d+)?\s*\S/.test(line) && !isBlankLine(line));
    return {
      text: [formatFacts(facts), ...lines].join("\n"),
      fields: {
        revision: header.revision,
        format: header.formatCode,
        formatName: header.format.name,
        text: lines,
        traces: traces.count,
        samples,
        intervalUs,
        layout: layout.kind,
        shape: file.shape,
        positionsM: layout.positionsM ?? null,
        sourcesM: layout.sourcesM ?? null,
        notes: file.conversions,
        ...statistics,
      },
    };
  } finally {
    await file.close();
  }
}

/** "C12" and nothing behind it. */
function isBlankLine(line: string): boolean {
  return /^C ?\d*\s*$/.test(line);
}

/** `x 0 to 690 m, 10 m apart`, or each position where they are few. */
function describeSpan(positions: readonly number[] | undefined): string {
  if (!positions) return "not stated";
  if (positions.length <= 6) return `x ${positions.map(round).join(", ")} m`;
  const steps = positions.slice(1).map((x, i) => x - positions[i]!);
  const [least, most] = [Math.min(...steps), Math.max(...steps)];
  const apart = most - least < 0.01 ? round(most) : `${round(least)} to ${round(most)}`;
  return `x ${round(positions[0]!)} to ${round(positions.at(-1)!)} m, ${apart} m apart`;
}

function round(metres: number): string {
  return String(Number(metres.toFixed(2)));
}
