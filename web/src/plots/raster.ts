/** Arrays as images, one pixel per value; the plot scales them. */
import type { ColourScale } from "../../../src/io/plots/colours.ts";

export class Raster {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #image: ImageData;

  constructor(
    readonly rows: number,
    readonly columns: number,
  ) {
    this.canvas = document.createElement("canvas");
    this.canvas.width = columns;
    this.canvas.height = rows;
    this.#context = this.canvas.getContext("2d")!;
    this.#image = this.#context.createImageData(columns, rows);
  }

  /** values [rows][columns] */
  paint(values: ArrayLike<number>, scale: ColourScale): void {
    const { data } = this.#image;
    for (let i = 0; i < this.rows * this.columns; i++) {
      const [red, green, blue] = scale.colour(values[i]!);
      data[4 * i] = red;
      data[4 * i + 1] = green;
      data[4 * i + 2] = blue;
      data[4 * i + 3] = 255;
    }
    this.#context.putImageData(this.#image, 0, 0);
  }

  /**
   * A veil to lay over another image: white where values are positive, black where negative, the
   * more opaque the larger; `limit` is where it saturates.
   */
  paintVeil(values: ArrayLike<number>, limit: number): void {
    const { data } = this.#image;
    for (let i = 0; i < this.rows * this.columns; i++) {
      const share = values[i]! / limit;
      const level = share > 0 ? 255 : 0;
      data[4 * i] = level;
      data[4 * i + 1] = level;
      data[4 * i + 2] = level;
      data[4 * i + 3] = 215 * Math.min(1, Math.abs(share) ** 0.8);
    }
    this.#context.putImageData(this.#image, 0, 0);
  }
}
