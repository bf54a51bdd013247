/** The run as a picture: latency, bytes on the wire and energy of every arm, logarithmic bars. */
import { Bitmap, type Colour } from "../io/plots/bitmap.ts";
import { textHeight, textPixels } from "../io/plots/text.ts";
import { ARMS } from "./arms.ts";
import type { ArmSummary } from "./summary.ts";

const rowHeight = 30;
const barHeight = 18;
const barsWidth = 360;
const margin = 24;
const gap = 12;
const valueWidth = textPixels("0000.00 MB");
const nameWidth = Math.max(...ARMS.map(textPixels));
const colours: readonly Colour[] = [
  [68, 1, 84],
  [49, 104, 142],
  [53, 183, 121],
];

interface Panel {
  readonly title: string;
  value(arm: ArmSummary): number;
  label(value: number): string;
}

const panels: readonly Panel[] = [
  {
    title: "median latency",
    value: ({ latencyMs }) => latencyMs.median,
    label: (ms) => (ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(2)} s`),
  },
  {
    title: "bytes on the wire per record",
    value: ({ bytes }) => bytes.wire,
    label: (bytes) =>
      bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`,
  },
  {
    title: "energy per record and device, 5 a wake-up",
    value: ({ energyJ }) => energyJ[5]!.total,
    label: (joules) => (joules < 1 ? `${(1000 * joules).toFixed(0)} mJ` : `${joules.toFixed(2)} J`),
  },
];

/** PNG. @param title one line, as "4g, 50 records" */
export function testbedPng(title: string, arms: Readonly<Record<string, ArmSummary>>): Uint8Array {
  const names = Object.keys(arms);
  const panelHeight = (names.length + 1) * rowHeight + gap;
  const width = 2 * margin + nameWidth + gap + barsWidth + gap + valueWidth;
  const height = 2 * margin + rowHeight + panels.length * panelHeight;
  const bitmap = new Bitmap(width, height);
  bitmap.text(margin, margin, title);
  panels.forEach((panel, i) => {
    const top = margin + rowHeight + i * panelHeight;
    drawPanel(
      bitmap,
      panel,
      colours[i]!,
      names.map((name) => [name, arms[name]!]),
      top,
    );
  });
  return bitmap.toPng();
}

function drawPanel(
  bitmap: Bitmap,
  { title, value, label }: Panel,
  colour: Colour,
  arms: readonly (readonly [string, ArmSummary])[],
  top: number,
): void {
  const left = margin + nameWidth + gap;
  const logs = arms.map(([, arm]) => Math.log10(value(arm)));
  // Whole decades, so that bars of two pictures can be read alike.
  const low = Math.floor(Math.min(...logs) - 0.1);
  const high = Math.ceil(Math.max(...logs));
  bitmap.text(left, top, title);
  for (let decade = low; decade <= high; decade++) {
    const x = left + Math.round((barsWidth * (decade - low)) / (high - low));
    bitmap.fill(x, top + rowHeight - 6, 1, arms.length * rowHeight, [205, 208, 212]);
  }
  arms.forEach(([name, arm], i) => {
    const y = top + (i + 1) * rowHeight;
    const length = Math.max(1, Math.round((barsWidth * (logs[i]! - low)) / (high - low)));
    const textTop = y + Math.round((barHeight - textHeight) / 2);
    bitmap.text(left - gap, textTop, name, "right");
    bitmap.fill(left, y, length, barHeight, colour);
    bitmap.text(left + length + gap, textTop, label(value(arm)));
  });
}
