/** An RGB picture: rectangles, smooth text, PNG. Coordinates are pixels from the top left. */
import { PNG } from "pngjs";
import { drawText, textPixels } from "./text.ts";

export type Colour = readonly [red: number, green: number, blue: number];

export const ink: Colour = [26, 28, 31];
export const paper: Colour = [255, 255, 255];

export type Align = "left" | "centre" | "right";

export class Bitmap {
  readonly width: number;
  readonly height: number;
  /** RGBA rows, opaque. */
  readonly pixels: Uint8Array;

  constructor(width: number, height: number, background: Colour = paper) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint8Array(width * height * 4).fill(255);
    this.fill(0, 0, width, height, background);
  }

  /** A filled rectangle, clipped to the picture. */
  fill(left: number, top: number, width: number, height: number, colour: Colour = ink): void {
    for (let y = top; y < top + height; y++) {
      for (let x = left; x < left + width; x++) this.blend(x, y, colour, 1);
    }
  }

  /** A frame of `thickness` pixels around the outside of a rectangle. */
  frame(left: number, top: number, width: number, height: number, thickness: number): void {
    const full = width + 2 * thickness;
    this.fill(left - thickness, top - thickness, full, thickness);
    this.fill(left - thickness, top + height, full, thickness);
    this.fill(left - thickness, top, thickness, height);
    this.fill(left + width, top, thickness, height);
  }

  /** Text whose top is `y`; `x` is its left end, middle or right end. */
  text(x: number, y: number, text: string, align: Align = "left"): void {
    const share = { left: 0, centre: 0.5, right: 1 }[align];
    const start = x - Math.round(textPixels(text) * share);
    drawText(text, (along, down, amount) => this.blend(start + along, y + down, ink, amount));
  }

  /** Text that reads upwards, its left side at `x`, its middle at `y`. */
  textUpwards(x: number, y: number, text: string): void {
    const start = y + Math.round(textPixels(text) / 2);
    drawText(text, (along, down, amount) => this.blend(x + down, start - along, ink, amount));
  }

  /** Copies another picture in, clipped at the right and at the bottom. */
  draw(picture: Bitmap, left: number, top: number): void {
    const columns = Math.min(picture.width, this.width - left);
    const rows = Math.min(picture.height, this.height - top);
    for (let y = 0; y < rows; y++) {
      const from = y * picture.width * 4;
      const to = ((top + y) * this.width + left) * 4;
      this.pixels.set(picture.pixels.subarray(from, from + columns * 4), to);
    }
  }

  /** Mixes `colour` into one pixel; `amount` 1 replaces it. Outside the picture: nothing. */
  blend(x: number, y: number, colour: Colour, amount: number): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    const at = (y * this.width + x) * 4;
    for (let c = 0; c < 3; c++) {
      const old = this.pixels[at + c]!;
      this.pixels[at + c] = Math.round(old + (colour[c]! - old) * amount);
    }
  }

  toPng(): Uint8Array {
    const png = new PNG({ width: this.width, height: this.height });
    png.data.set(this.pixels);
    return PNG.sync.write(png, { colorType: 2 });
  }
}
