/** One picture with axes: title, image, ticks, axis labels, colour bar. */
import { Bitmap } from "./bitmap.ts";
import type { ColourScale } from "./colours.ts";
import { textHeight, textPixels } from "./text.ts";
import { ticks } from "./ticks.ts";

export interface Axis {
  readonly label: string;
  readonly low: number;
  readonly high: number;
}

export interface PanelInput {
  readonly title: string;
  /** Size of the image in pixels. */
  readonly width: number;
  readonly height: number;
  readonly x: Axis;
  /** Increases downwards. */
  readonly y: Axis;
  readonly scale: ColourScale;
  /** Value at an image pixel; across and down are 0..1. */
  value(across: number, down: number): number;
  /** What the colour bar shows, above it. */
  readonly unit: string;
  /** Positions on the x axis to mark above the image: a source. */
  readonly marks?: readonly number[];
}

const line = 2;
const tickLength = 8;
const gap = 8;
const barWidth = 20;
const barGap = 24;
const margin = 16;
const titleHeight = textHeight + 18;
/** Four digits, the tick and the label that reads upwards. */
const leftSpace = textHeight + gap + textPixels("0000") + gap + tickLength + line;
const bottomSpace = tickLength + gap + textHeight + gap + textHeight + 6;

/** Draws the panel on paper of its own, margins included. */
export function drawPanel(input: PanelInput): Bitmap {
  const left = margin + leftSpace;
  const top = margin + titleHeight;
  const bitmap = new Bitmap(
    left + input.width + barGap + barSpaceOf(input.scale),
    top + input.height + bottomSpace + margin,
  );
  bitmap.text(left - line, margin, input.title);
  drawImage(bitmap, input, left, top);
  bitmap.frame(left, top, input.width, input.height, line);
  for (const mark of input.marks ?? []) drawMark(bitmap, input, mark, left, top);
  drawXAxis(bitmap, input, left, top + input.height);
  drawYAxis(bitmap, input, left, top);
  drawBar(bitmap, input, left + input.width + barGap, top);
  return bitmap;
}

function drawImage(bitmap: Bitmap, input: PanelInput, left: number, top: number): void {
  for (let y = 0; y < input.height; y++) {
    for (let x = 0; x < input.width; x++) {
      const value = input.value((x + 0.5) / input.width, (y + 0.5) / input.height);
      bitmap.blend(left + x, top + y, input.scale.colour(value), 1);
    }
  }
}

/** A small filled triangle that points down at the image's upper edge. */
function drawMark(
  bitmap: Bitmap,
  input: PanelInput,
  position: number,
  left: number,
  top: number,
): void {
  const x = left + pixelOf(position, input.x, input.width);
  for (let row = 0; row < 10; row++) {
    const half = 6 - Math.floor(row * 0.6);
    bitmap.fill(x - half, top - line - 11 + row, 2 * half + 1, 1);
  }
}

function drawXAxis(bitmap: Bitmap, input: PanelInput, left: number, bottom: number): void {
  const labelTop = bottom + line + tickLength + gap;
  for (const { value, label } of ticks(input.x.low, input.x.high)) {
    const x = left + pixelOf(value, input.x, input.width);
    bitmap.fill(x - line / 2, bottom + line, line, tickLength);
    bitmap.text(x, labelTop, label, "centre");
  }
  const middle = left + Math.round(input.width / 2);
  bitmap.text(middle, labelTop + textHeight + gap, input.x.label, "centre");
}

function drawYAxis(bitmap: Bitmap, input: PanelInput, left: number, top: number): void {
  for (const { value, label } of ticks(input.y.low, input.y.high)) {
    const y = top + pixelOf(value, input.y, input.height);
    bitmap.fill(left - line - tickLength, y - line / 2, tickLength, line);
    const right = left - line - tickLength - gap;
    bitmap.text(right, y - textHeight / 2, label, "right");
  }
  bitmap.textUpwards(margin, top + Math.round(input.height / 2), input.y.label);
}

/** The scale beside the image, high values on top, its unit above it. */
function drawBar(bitmap: Bitmap, input: PanelInput, left: number, top: number): void {
  const { scale, height } = input;
  for (let y = 0; y < height; y++) {
    const value = scale.high + ((scale.low - scale.high) * (y + 0.5)) / height;
    bitmap.fill(left, top + y, barWidth, 1, scale.colour(value));
  }
  bitmap.frame(left, top, barWidth, height, line);
  for (const { value, label } of ticks(scale.low, scale.high)) {
    const y = top + pixelOf(value, { low: scale.high, high: scale.low }, height);
    bitmap.fill(left + barWidth + line, y - line / 2, tickLength, line);
    const labelLeft = left + barWidth + line + tickLength + gap;
    bitmap.text(labelLeft, y - textHeight / 2, label);
  }
  bitmap.text(left - line, margin, input.unit);
}

/** Bar, ticks, widest number and the margin; the same for all usual velocities and errors. */
function barSpaceOf(scale: ColourScale): number {
  const widths = ticks(scale.low, scale.high).map(({ label }) => textPixels(label));
  return barWidth + line + tickLength + gap + Math.max(textPixels("-0000"), ...widths) + margin;
}

function pixelOf(value: number, axis: { low: number; high: number }, pixels: number): number {
  return Math.round(((value - axis.low) / (axis.high - axis.low)) * pixels);
}
