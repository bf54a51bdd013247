/** How well the trust figures tell the true error: one panel per figure. */
import type { ReliabilityBin } from "../../metrics/index.ts";
import { Bitmap, type Colour } from "./bitmap.ts";
import { textHeight, textPixels } from "./text.ts";
import { type Tick, ticks } from "./ticks.ts";

export interface ReliabilityCurves {
  /** Bins in the order of misfit; errors in m/s. */
  readonly latentMisfit: readonly ReliabilityBin[];
  readonly dataMisfit: readonly ReliabilityBin[];
}

const width = 520;
const height = 380;
const left = 110;
const top = 64;
const right = 30;
const bottom = 84;
const grid: Colour = [226, 229, 233];
const band: Colour = [194, 214, 235];
const curve: Colour = [31, 90, 150];

/** A position on an axis from 0 to its highest tick. */
type Place = (value: number) => number;

/** Both curves side by side on one error axis, as a PNG. Expects at least one bin in each. */
export function reliabilityPng({ latentMisfit, dataMisfit }: ReliabilityCurves): Uint8Array {
  const errors = [...latentMisfit, ...dataMisfit].map(({ error }) => error.p90);
  const errorTicks = ticksFromZero(Math.max(...errors));
  const panels = [
    drawCurve("Latent misfit", latentMisfit, errorTicks),
    drawCurve("Data misfit", dataMisfit, errorTicks),
  ];
  const sheet = new Bitmap(panels[0]!.width * 2, panels[0]!.height);
  for (const [i, panel] of panels.entries()) sheet.draw(panel, i * panel.width, 0);
  return sheet.toPng();
}

/** The mean error of each bin over its middle misfit, in the band of 10 to 90 % of the records. */
function drawCurve(
  title: string,
  bins: readonly ReliabilityBin[],
  errorTicks: readonly Tick[],
): Bitmap {
  const misfitTicks = ticksFromZero(Math.max(...bins.map(({ misfit }) => misfit[1])));
  const bitmap = new Bitmap(left + width + right, top + height + bottom);
  const x: Place = (misfit) => left + (misfit / misfitTicks.at(-1)!.value) * width;
  const y: Place = (error) => top + height - (error / errorTicks.at(-1)!.value) * height;
  const points = bins.map(({ misfit, error }) => ({
    x: x(misfit[1]),
    low: y(error.p10),
    mean: y(error.mean),
    high: y(error.p90),
  }));
  for (const { value } of errorTicks) bitmap.fill(left, Math.round(y(value)), width, 1, grid);
  for (let i = 1; i < points.length; i++) {
    fillBetween(bitmap, points[i - 1]!, points[i]!);
  }
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1]!, points[i]!];
    drawLine(bitmap, a.x, a.mean, b.x, b.mean);
  }
  for (const point of points) drawDot(bitmap, point.x, point.mean);
  drawAxes(bitmap, title, misfitTicks, errorTicks, x, y);
  return bitmap;
}

function drawAxes(
  bitmap: Bitmap,
  title: string,
  misfitTicks: readonly Tick[],
  errorTicks: readonly Tick[],
  x: Place,
  y: Place,
): void {
  bitmap.text(left, 20, `${title}: true MAE, mean and 10-90 %`);
  bitmap.fill(left - 2, top, 2, height + 2);
  bitmap.fill(left - 2, top + height, width + 2, 2);
  for (const { value, label } of misfitTicks) {
    bitmap.fill(Math.round(x(value)) - 1, top + height, 2, 8);
    bitmap.text(Math.round(x(value)), top + height + 14, label, "centre");
  }
  for (const { value, label } of errorTicks) {
    bitmap.fill(left - 8, Math.round(y(value)) - 1, 8, 2);
    const start = left - 14 - textPixels(label);
    bitmap.text(start, Math.round(y(value) - textHeight / 2), label);
  }
  bitmap.text(left + width / 2, top + height + 22 + textHeight, "misfit, relative L2", "centre");
  bitmap.textUpwards(8, top + height / 2, "MAE (m/s)");
}

interface Point {
  readonly x: number;
  readonly low: number;
  readonly mean: number;
  readonly high: number;
}

function fillBetween(bitmap: Bitmap, a: Point, b: Point): void {
  for (let x = Math.floor(a.x); x <= Math.ceil(b.x); x++) {
    const share = Math.min(1, Math.max(0, (x - a.x) / Math.max(1e-9, b.x - a.x)));
    const upper = Math.round(a.high + (b.high - a.high) * share);
    const lower = Math.round(a.low + (b.low - a.low) * share);
    bitmap.fill(x, upper, 1, lower - upper, band);
  }
}

function drawLine(bitmap: Bitmap, x0: number, y0: number, x1: number, y1: number): void {
  const steps = Math.ceil(2 * Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1));
  for (let i = 0; i <= steps; i++) {
    const share = i / steps;
    const x = Math.round(x0 + (x1 - x0) * share);
    bitmap.fill(x - 1, Math.round(y0 + (y1 - y0) * share) - 1, 3, 3, curve);
  }
}

function drawDot(bitmap: Bitmap, x: number, y: number): void {
  const radius = 5;
  for (let dy = -radius; dy <= radius; dy++) {
    for (let dx = -radius; dx <= radius; dx++) {
      const inside = radius + 0.5 - Math.hypot(dx, dy);
      if (inside <= 0) continue;
      bitmap.blend(Math.round(x) + dx, Math.round(y) + dy, curve, Math.min(1, inside));
    }
  }
}

/** Round values from 0 to the first that is not below `highest`. */
function ticksFromZero(highest: number): Tick[] {
  const found = ticks(0, highest || 1);
  const step = found[1]!.value;
  return found.at(-1)!.value >= highest * (1 - 1e-9) ? found : ticks(0, found.at(-1)!.value + step);
}
