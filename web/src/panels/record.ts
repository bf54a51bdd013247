/** One shot's traces, time down, with the devices that hold them. */
import { greyScale } from "../../../src/io/plots/colours.ts";
import type { Geometry } from "../../../src/model/config.ts";
import { ColourBar } from "../plots/colourBar.ts";
import { imageLayer, type Layer, Plot } from "../plots/plot.ts";
import { Raster } from "../plots/raster.ts";
import { deviceColour, theme } from "../plots/theme.ts";
import { canvas } from "./dom.ts";
import { SURFACE_HEIGHT, type Surface, surfaceLayer } from "./marks.ts";

/** Rows of the picture; several samples to a row, averaged. */
const ROWS_MAX = 500;

export class RecordPanel {
  readonly #plot: Plot;
  readonly #geometry: Geometry;
  readonly #raster: Raster;
  readonly #surface: () => Surface;
  #timeS = 0;

  constructor(geometry: Geometry, surface: () => Surface) {
    const { receivers, samples, dxM, dtMs, map } = geometry;
    this.#geometry = geometry;
    this.#surface = surface;
    this.#raster = new Raster(Math.min(ROWS_MAX, samples), receivers);
    this.#plot = new Plot(canvas("record"), {
      x: { label: "receiver x (m)", low: 0, high: map[1] * dxM },
      y: { label: "time (s)", low: 0, high: (samples * dtMs) / 1000 },
      aspect: 0.93,
      top: SURFACE_HEIGHT,
    });
    this.#plot.show([
      imageLayer(this.#raster.canvas),
      this.#absent,
      this.#borders,
      this.#cursor,
      surfaceLayer(surface),
    ]);
    new ColourBar(canvas("record-bar"), {
      scale: greyScale(1),
      label: "p/p₉₅",
      clipped: true,
      ticks: 4,
    });
  }

  /** record [shots][samples][receivers] */
  setRecord(record: Float32Array, shot: number): void {
    const { samples, receivers } = this.#geometry;
    const traces = record.subarray(shot * samples * receivers, (shot + 1) * samples * receivers);
    this.#raster.paint(
      averageRows(traces, receivers, this.#raster.rows),
      greyScale(percentile(traces, 0.95) || 1),
    );
    this.#plot.canvas.setAttribute(
      "aria-label",
      `Traces of shot ${shot + 1}: ${receivers} receivers, ${samples} samples, time down`,
    );
    this.#plot.redraw();
  }

  setTime(timeS: number): void {
    this.#timeS = timeS;
    this.#plot.redraw();
  }

  redraw(): void {
    this.#plot.redraw();
  }

  /** Paper over the traces of devices that are off. */
  readonly #absent: Layer = (context, { left, top, width, height }) => {
    const { devices, receivers, present } = this.#surface();
    context.fillStyle = theme().paper;
    context.globalAlpha = 0.85;
    devices.forEach(({ firstReceiver, receivers: count }, device) => {
      if (present[device]) return;
      context.fillRect(
        left + (firstReceiver / receivers) * width,
        top,
        (count / receivers) * width,
        height,
      );
    });
  };

  readonly #borders: Layer = (context, { left, top, width, height }) => {
    const { devices, receivers } = this.#surface();
    context.globalAlpha = 0.45;
    devices.forEach(({ firstReceiver }, device) => {
      if (firstReceiver === 0) return;
      context.fillStyle = deviceColour(device);
      context.fillRect(left + (firstReceiver / receivers) * width - 0.5, top, 1, height);
    });
  };

  readonly #cursor: Layer = (context, { left, top, width, height }) => {
    const { samples, dtMs } = this.#geometry;
    const y = top + (this.#timeS / ((samples * dtMs) / 1000)) * height;
    context.fillStyle = theme().accent;
    context.fillRect(left, y - 0.75, width, 1.5);
  };
}

/** Means of equal stretches of time; traces [samples][receivers]. */
function averageRows(traces: Float32Array, receivers: number, rows: number): Float32Array {
  const samples = traces.length / receivers;
  const result = new Float32Array(rows * receivers);
  for (let row = 0; row < rows; row++) {
    const first = Math.floor((row * samples) / rows);
    const end = Math.max(first + 1, Math.floor(((row + 1) * samples) / rows));
    for (let sample = first; sample < end; sample++) {
      for (let receiver = 0; receiver < receivers; receiver++) {
        result[row * receivers + receiver]! +=
          traces[sample * receivers + receiver]! / (end - first);
      }
    }
  }
  return result;
}

/** The absolute value that `share` of the values do not exceed. */
function percentile(values: Float32Array, share: number): number {
  const sorted = values.map(Math.abs).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
