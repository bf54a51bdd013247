/** Curves of resident memory over time, as a PNG. */
import { Bitmap, type Colour } from "../../src/io/plots/bitmap.ts";
import { ticks } from "../../src/io/plots/ticks.ts";
import type { MemorySample } from "./memoryWatch.ts";

const [width, height, left, top, right, bottom] = [900, 420, 90, 60, 30, 70] as const;
/** Okabe and Ito's palette: told apart with any eyes. */
const COLOURS: readonly Colour[] = [
  [0, 114, 178],
  [213, 94, 0],
  [0, 158, 115],
  [204, 121, 167],
  [86, 180, 233],
  [230, 159, 0],
];

export function drawCurves(samples: readonly MemorySample[], names: readonly string[]): Uint8Array {
  const seconds = samples.at(-1)?.s ?? 1;
  const most = Math.max(1, ...samples.flatMap(({ rss }) => Object.values(rss).map((v) => v ?? 0)));
  const high = most * 1.1;
  const bitmap = new Bitmap(left + width + right, top + height + bottom);
  const x = (s: number) => left + Math.round((s / seconds) * (width - 1));
  const y = (mib: number) => top + Math.round((1 - mib / high) * (height - 1));
  bitmap.frame(left, top, width, height, 1);
  for (const { value, label } of ticks(0, high)) {
    bitmap.text(left - 8, y(value) - 8, label, "right");
    bitmap.fill(left - 5, y(value), 5, 1);
  }
  for (const { value, label } of ticks(0, seconds / 60)) {
    bitmap.text(x(value * 60), top + height + 10, label, "centre");
    bitmap.fill(x(value * 60), top + height, 1, 5);
  }
  bitmap.text(left + width / 2, top + height + 40, "minutes", "centre");
  bitmap.textUpwards(12, top + height / 2, "resident memory, MiB");
  for (const [i, name] of names.entries()) {
    const colour = COLOURS[i % COLOURS.length]!;
    bitmap.fill(left + i * 150, 26, 18, 4, colour);
    bitmap.text(left + i * 150 + 24, 18, name);
    let last: readonly [number, number] | undefined;
    for (const { s, rss } of samples) {
      const mib = rss[name];
      const point = mib == null ? undefined : ([x(s), y(mib)] as const);
      if (point && last) drawLine(bitmap, last, point, colour);
      last = point;
    }
  }
  return bitmap.toPng();
}

function drawLine(
  bitmap: Bitmap,
  [x0, y0]: readonly [number, number],
  [x1, y1]: readonly [number, number],
  colour: Colour,
): void {
  const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1);
  for (let i = 0; i <= steps; i++) {
    const [px, py] = [x0 + ((x1 - x0) * i) / steps, y0 + ((y1 - y0) * i) / steps];
    bitmap.fill(Math.round(px), Math.round(py), 2, 2, colour);
  }
}
