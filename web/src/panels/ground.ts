/** The velocity map with the wave that runs through it, and the brush that changes it. */
import type { ColourScale } from "../../../src/io/plots/colours.ts";
import type { Geometry } from "../../../src/model/config.ts";
import type { Film } from "../compute/messages.ts";
import { type Box, imageLayer, type Layer, Plot } from "../plots/plot.ts";
import { Raster } from "../plots/raster.ts";
import { canvas } from "./dom.ts";
import { SURFACE_HEIGHT, type Surface, surfaceLayer } from "./marks.ts";

export class GroundPanel {
  readonly plot: Plot;
  readonly #map: Raster;
  readonly #veil: Raster;
  readonly #scale: ColourScale;
  #film: Film | undefined;
  #limits: Float32Array = new Float32Array();
  #timeS = 0;
  #waveHidden = false;

  constructor(geometry: Geometry, scale: ColourScale, surface: () => Surface, overlay: Layer) {
    const [rows, columns] = geometry.map;
    this.#map = new Raster(rows, columns);
    this.#veil = new Raster(rows, columns);
    this.#scale = scale;
    this.plot = new Plot(canvas("ground"), {
      x: { label: "x (m)", low: 0, high: columns * geometry.dxM },
      y: { label: "depth (m)", low: 0, high: rows * geometry.dxM },
      aspect: rows / columns,
      top: SURFACE_HEIGHT,
    });
    const veil = imageLayer(this.#veil.canvas, true);
    this.plot.show([
      imageLayer(this.#map.canvas),
      (context, box: Box) => {
        if (this.#film !== undefined && !this.#waveHidden) veil(context, box);
      },
      overlay,
      surfaceLayer(surface),
    ]);
  }

  setMap(map: Float32Array): void {
    this.#map.paint(map, this.#scale);
    this.plot.redraw();
  }

  setFilm(film: Film): void {
    this.#film = film;
    this.#limits = pictureLimits(film);
    this.setTime(this.#timeS);
  }

  /** While a brush is at work the wave would be one over another map. */
  hideWave(hidden: boolean): void {
    this.#waveHidden = hidden;
    this.plot.redraw();
  }

  setTime(timeS: number): void {
    this.#timeS = timeS;
    const film = this.#film;
    if (film === undefined) return;
    const cells = film.pressure.length / film.pictures;
    const picture = Math.min(
      film.pictures - 1,
      Math.max(0, Math.round(timeS / film.intervalS) - 1),
    );
    const values = film.pressure.subarray(picture * cells, (picture + 1) * cells);
    this.#veil.paintVeil(values, this.#limits[picture]!);
    this.plot.redraw();
  }
}

/** Pictures that share a limit with their neighbours, so that it does not flicker. */
const WINDOW = 12;

/**
 * Where each picture's veil saturates. The wave weakens as it spreads, so a fixed limit would show
 * the first tenth of a second alone; the limit follows the strongest pressure near in time, down to
 * a floor below which there is nothing but the boundary's remains.
 */
function pictureLimits({ pressure, pictures }: Film): Float32Array {
  const cells = pressure.length / pictures;
  const peaks = Float32Array.from({ length: pictures }, (_, picture) => {
    let peak = 0;
    for (let i = picture * cells; i < (picture + 1) * cells; i++) {
      peak = Math.max(peak, Math.abs(pressure[i]!));
    }
    return peak;
  });
  const floor = 0.015 * Math.max(...peaks);
  return peaks.map((_, picture) => {
    const near = peaks.subarray(Math.max(0, picture - WINDOW), picture + WINDOW + 1);
    const mean = near.reduce((sum, peak) => sum + peak, 0) / near.length;
    return Math.max(floor, 0.8 * mean);
  });
}
