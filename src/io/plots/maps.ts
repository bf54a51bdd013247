/** The pictures of one record: truth, prediction, error, and one shot gather. */
import { Bitmap } from "./bitmap.ts";
import { type ColourScale, divergingScale, greyScale, viridisScale } from "./colours.ts";
import { drawPanel } from "./panel.ts";
import { textHeight } from "./text.ts";
import { roundStep } from "./ticks.ts";

/** The part of the model's geometry that a picture needs. */
export interface PlotGeometry {
  /** Rows (depth) and columns of the velocity map. */
  readonly map: readonly [rows: number, columns: number];
  /** Cell size and receiver spacing, m. */
  readonly dxM: number;
  /** Sampling interval, ms. */
  readonly dtMs: number;
}

/** One shot's traces. */
export interface GatherPicture {
  /** [samples][receivers] */
  readonly data: Float32Array;
  readonly samples: number;
  readonly receivers: number;
  /** Counted from 0. */
  readonly shot: number;
  /** Position of the source along the line, m. */
  readonly sourceXM?: number;
}

/** One record. Maps are [rows][columns] in m/s. */
export interface RecordPicture {
  readonly truth?: Float32Array;
  readonly prediction: Float32Array;
  readonly gather?: GatherPicture;
  readonly geometry: PlotGeometry;
  /** Printed above the panels. */
  readonly title?: string;
}

export interface Panel {
  readonly name: "truth" | "prediction" | "error" | "gather";
  readonly picture: Bitmap;
}

/** Pixels per map cell: pictures are made for screens with two pixels per point. */
const cellPixels = 6;

/** Panels of one record in a row, as a PNG. */
export function mapsPng(record: RecordPicture): Uint8Array {
  return recordsPng([record]);
}

/** One row of panels per record, as a PNG. Expects at least one record. */
export function recordsPng(records: readonly RecordPicture[]): Uint8Array {
  const rows = records.map(drawRecord);
  const width = Math.max(...rows.map((row) => row.width));
  const height = rows.reduce((sum, row) => sum + row.height, 0);
  const sheet = new Bitmap(width, height);
  let top = 0;
  for (const row of rows) {
    sheet.draw(row, 0, top);
    top += row.height;
  }
  return sheet.toPng();
}

/** The panels that the record's data allow, truth first. */
export function recordPanels(record: RecordPicture): Panel[] {
  const { truth, prediction, gather, geometry } = record;
  const velocity = velocityScale(truth ? [truth, prediction] : [prediction]);
  const panels: Panel[] = [];
  if (truth) {
    panels.push({ name: "truth", picture: drawMap("Truth", truth, geometry, velocity) });
  }
  panels.push({
    name: "prediction",
    picture: drawMap("Prediction", prediction, geometry, velocity),
  });
  if (truth) {
    const error = prediction.map((value, i) => value - truth[i]!);
    const limit = roundUp(Math.max(100, percentile(error, 0.995)));
    const picture = drawMap("Prediction - truth", error, geometry, divergingScale(limit));
    panels.push({ name: "error", picture });
  }
  if (gather) panels.push({ name: "gather", picture: drawGather(gather, geometry) });
  return panels;
}

function drawRecord(record: RecordPicture): Bitmap {
  const pictures = recordPanels(record).map((panel) => panel.picture);
  const titleHeight = record.title === undefined ? 0 : textHeight + 24;
  const width = pictures.reduce((sum, picture) => sum + picture.width, 0);
  const height = Math.max(...pictures.map((picture) => picture.height)) + titleHeight;
  const row = new Bitmap(width, height);
  if (record.title !== undefined) row.text(16, 16, record.title);
  let left = 0;
  for (const picture of pictures) {
    row.draw(picture, left, titleHeight);
    left += picture.width;
  }
  return row;
}

function drawMap(
  title: string,
  values: Float32Array,
  geometry: PlotGeometry,
  scale: ColourScale,
): Bitmap {
  const [rows, columns] = geometry.map;
  return drawPanel({
    title,
    width: columns * cellPixels,
    height: rows * cellPixels,
    x: { label: "x (m)", low: 0, high: columns * geometry.dxM },
    y: { label: "depth (m)", low: 0, high: rows * geometry.dxM },
    scale,
    unit: "m/s",
    value: (across, down) =>
      values[Math.floor(down * rows) * columns + Math.floor(across * columns)]!,
  });
}

/**
 * Traces in grey, clipped where 5 % of the samples are louder: the direct wave is far stronger
 * than the reflections, which are what one wants to see.
 */
function drawGather(gather: GatherPicture, geometry: PlotGeometry): Bitmap {
  const { data, samples, receivers } = gather;
  const [rows] = geometry.map;
  return drawPanel({
    title: `Shot ${gather.shot + 1}`,
    width: receivers * cellPixels,
    height: rows * cellPixels,
    x: { label: "receiver x (m)", low: 0, high: receivers * geometry.dxM },
    y: { label: "time (s)", low: 0, high: (samples * geometry.dtMs) / 1000 },
    scale: greyScale(percentile(data, 0.95) || 1),
    unit: "amplitude",
    ...(gather.sourceXM !== undefined && { marks: [gather.sourceXM + geometry.dxM / 2] }),
    value: (across, down) =>
      interpolateTime(data, receivers, Math.floor(across * receivers), down * samples - 0.5),
  });
}

/** Linear in time between two samples of one receiver. */
function interpolateTime(
  data: Float32Array,
  receivers: number,
  receiver: number,
  time: number,
): number {
  const last = data.length / receivers - 1;
  const early = Math.min(last, Math.max(0, Math.floor(time)));
  const late = Math.min(last, early + 1);
  const share = Math.min(1, Math.max(0, time - early));
  const a = data[early * receivers + receiver]!;
  return a + (data[late * receivers + receiver]! - a) * share;
}

/** One scale for all maps, so that equal colours mean equal velocities; ends on whole hundreds. */
function velocityScale(maps: readonly Float32Array[]): ColourScale {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const map of maps) {
    for (const value of map) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  const bottom = Math.floor(low / 100) * 100;
  return viridisScale(bottom, Math.max(bottom + 100, Math.ceil(high / 100) * 100));
}

/** The absolute value that `share` of the values do not exceed. */
function percentile(values: Float32Array, share: number): number {
  const sorted = values.map(Math.abs).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** The next of a few round numbers per decade: 130 becomes 150, 2100 becomes 2500. */
function roundUp(value: number): number {
  const step = roundStep(value / 5);
  return Math.ceil(value / step) * step;
}
