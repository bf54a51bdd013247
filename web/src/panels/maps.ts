/** Truth, prediction and error on shared axes; truth and prediction share one colour scale. */
import { encodeNpy } from "../../../src/io/npyFormat.ts";
import { type ColourScale, divergingScale } from "../../../src/io/plots/colours.ts";
import type { Geometry } from "../../../src/model/config.ts";
import { ColourBar } from "../plots/colourBar.ts";
import { imageLayer, Plot } from "../plots/plot.ts";
import { Raster } from "../plots/raster.ts";
import { button, canvas, element } from "./dom.ts";

/** The error's colours saturate at this share of the velocity range, whatever the map, so that two errors compare. */
const ERROR_SHARE = 0.2;

export class MapsPanel {
  readonly #geometry: Geometry;
  readonly #velocity: ColourScale;
  readonly #error: ColourScale;
  readonly #truth: View;
  readonly #prediction: View;
  readonly #difference: View;
  #shown: { truth: Float32Array; map: Float32Array | undefined } | undefined;

  constructor(geometry: Geometry, velocity: ColourScale) {
    this.#geometry = geometry;
    this.#velocity = velocity;
    const limit = ERROR_SHARE * (velocity.high - velocity.low);
    this.#error = divergingScale(limit);
    this.#truth = new View("truth", geometry);
    this.#prediction = new View("prediction", geometry);
    this.#difference = new View("error", geometry);
    new ColourBar(canvas("velocity-bar"), { scale: velocity, label: "m/s", ticks: 6 });
    new ColourBar(canvas("error-bar"), {
      scale: this.#error,
      label: "m/s",
      ticks: 4,
      clipped: true,
    });
    // Files that every command of this package takes, and NumPy.
    button("save-truth").addEventListener("click", () =>
      this.#save("truth.npy", this.#shown?.truth),
    );
    button("save-map").addEventListener("click", () =>
      this.#save("velocity.npy", this.#shown?.map),
    );
  }

  /** `map` is undefined where no device sent anything. */
  show(truth: Float32Array, map: Float32Array | undefined): void {
    this.#truth.paint(truth, this.#velocity, describeRange("True velocity", truth));
    element("nothing", HTMLParagraphElement).hidden = map !== undefined;
    this.#shown = { truth, map };
    button("save-truth").disabled = false;
    button("save-map").disabled = map === undefined;
    if (map === undefined) {
      this.#prediction.clear("No map");
      this.#difference.clear("No error");
      return;
    }
    this.#prediction.paint(map, this.#velocity, describeRange("Central node’s map", map));
    const error = map.map((velocity, i) => velocity - truth[i]!);
    this.#difference.paint(error, this.#error, describeRange("Map minus truth", error));
  }

  #save(name: string, map: Float32Array | undefined): void {
    if (map !== undefined) saveFile(name, encodeNpy(this.#geometry.map, map));
  }
}

/** Hands a file to the browser, as a download. */
function saveFile(name: string, bytes: Uint8Array): void {
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "application/octet-stream" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // Not at once: the browser has still to read it.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** One map on its canvas. */
class View {
  readonly #raster: Raster;
  readonly #plot: Plot;
  #shown = false;

  constructor(id: string, { map: [rows, columns], dxM }: Geometry) {
    this.#raster = new Raster(rows, columns);
    this.#plot = new Plot(canvas(id), {
      x: { label: "x (m)", low: 0, high: columns * dxM },
      y: { label: "depth (m)", low: 0, high: rows * dxM },
      aspect: rows / columns,
    });
    const image = imageLayer(this.#raster.canvas);
    this.#plot.show([
      (context, box) => {
        if (this.#shown) image(context, box);
      },
    ]);
  }

  paint(values: Float32Array, scale: ColourScale, label: string): void {
    this.#raster.paint(values, scale);
    this.#shown = true;
    this.#plot.canvas.setAttribute("aria-label", label);
    this.#plot.redraw();
  }

  clear(label: string): void {
    this.#shown = false;
    this.#plot.canvas.setAttribute("aria-label", label);
    this.#plot.redraw();
  }
}

function describeRange(name: string, values: Float32Array): string {
  const low = values.reduce((least, value) => Math.min(least, value));
  const high = values.reduce((most, value) => Math.max(most, value));
  return `${name}: ${low.toFixed(0)} to ${high.toFixed(0)} m/s`;
}
