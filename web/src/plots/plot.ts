/** A picture with axes on a canvas that follows its container's width, its pixel density and the theme. */

import { ticks } from "../../../src/io/plots/ticks.ts";
import { onResize } from "./resize.ts";
import { onThemeChange, theme } from "./theme.ts";

export interface PlotAxis {
  readonly label: string;
  readonly low: number;
  readonly high: number;
  /** About how many ticks; default 5. */
  readonly ticks?: number;
  /** Behind each number, where there is no room for a label. */
  readonly unit?: string;
}

export interface PlotOptions {
  readonly x: PlotAxis;
  /** Increases downwards. */
  readonly y: PlotAxis;
  /** Height of the picture in parts of its width. */
  readonly aspect: number;
  /** Room above the picture for marks, px; default 8. */
  readonly top?: number;
  /** Leave out the numbers and the label of the x axis; default false. */
  readonly bareX?: boolean;
  /** Room left of the picture, px; default 46. */
  readonly left?: number;
  /** Keep the y axis's numbers within the picture's height: for rows of pictures; default false. */
  readonly tightY?: boolean;
}

/** The picture's place on the canvas, CSS px. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export type Layer = (context: CanvasRenderingContext2D, box: Box) => void;

const FONT = "11px Inter, system-ui, sans-serif";
const LEFT = 46;
const RIGHT = 10;
const BOTTOM = 36;
const TICK = 4;

export class Plot {
  readonly canvas: HTMLCanvasElement;
  readonly #options: PlotOptions;
  readonly #context: CanvasRenderingContext2D;
  #layers: readonly Layer[] = [];
  #box: Box = { left: LEFT, top: 8, width: 1, height: 1 };
  #scheduled = false;
  /** Device pixels of the width that the canvas was last made for. */
  #fitted = 0;

  constructor(canvas: HTMLCanvasElement, options: PlotOptions) {
    this.canvas = canvas;
    this.#options = options;
    this.#context = canvas.getContext("2d")!;
    onResize(canvas.parentElement!, () => this.#fit());
    onThemeChange(() => this.redraw());
    this.#fit();
  }

  get box(): Box {
    return this.#box;
  }

  /** What is drawn inside the frame, bottom layer first. */
  show(layers: readonly Layer[]): void {
    this.#layers = layers;
    this.redraw();
  }

  /** Draws at the next frame, once however often it is called. */
  redraw(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#draw();
    });
  }

  /** Place in the picture of a pointer event: 0..1 across and down, or outside of that. */
  place(event: { clientX: number; clientY: number }): { across: number; down: number } {
    const { left, top, width, height } = this.#box;
    const outer = this.canvas.getBoundingClientRect();
    return {
      across: (event.clientX - outer.left - left) / width,
      down: (event.clientY - outer.top - top) / height,
    };
  }

  #fit(): void {
    const { aspect, top = 8, left = LEFT, bareX = false } = this.#options;
    const outer = this.canvas.parentElement!.clientWidth;
    const density = devicePixelRatio || 1;
    if (outer * density === this.#fitted) return;
    this.#fitted = outer * density;
    const width = Math.max(20, outer - left - RIGHT);
    const height = Math.round(width * aspect);
    this.#box = { left, top, width, height };
    const total = top + height + (bareX ? 4 : BOTTOM);
    this.canvas.width = Math.round(outer * density);
    this.canvas.height = Math.round(total * density);
    this.canvas.style.height = `${total}px`;
    this.#draw();
  }

  #draw(): void {
    const context = this.#context;
    const density = devicePixelRatio || 1;
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const layer of this.#layers) {
      context.save();
      layer(context, this.#box);
      context.restore();
    }
    this.#drawAxes();
  }

  #drawAxes(): void {
    const context = this.#context;
    const { left, top, width, height } = this.#box;
    const { x, y, bareX = false, tightY = false } = this.#options;
    const { line, muted } = theme();
    context.strokeStyle = line;
    context.lineWidth = 1;
    context.strokeRect(left - 0.5, top - 0.5, width + 1, height + 1);
    context.fillStyle = muted;
    context.font = FONT;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const { value, label } of ticks(y.low, y.high, y.ticks)) {
      const at = top + ((value - y.low) / (y.high - y.low)) * height;
      context.fillRect(left - 1 - TICK, Math.round(at) - 0.5, TICK, 1);
      const inside = tightY ? Math.min(top + height - 5, Math.max(top + 5, at)) : at;
      context.fillText(`${label}${y.unit ?? ""}`, left - TICK - 5, inside + 0.5);
    }
    this.#drawLabelUpwards(y.label);
    if (bareX) return;
    context.textAlign = "center";
    for (const { value, label } of ticks(x.low, x.high, x.ticks)) {
      const at = left + ((value - x.low) / (x.high - x.low)) * width;
      context.fillRect(Math.round(at) - 0.5, top + height + 1, 1, TICK);
      context.fillText(label, at, top + height + 13);
    }
    context.fillText(x.label, left + width / 2, top + height + 28);
  }

  #drawLabelUpwards(label: string): void {
    const context = this.#context;
    const { top, height } = this.#box;
    context.save();
    context.translate(7, top + height / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.fillText(label, 0, 0);
    context.restore();
  }
}

/** A layer that stretches an image over the picture; smooth or in square cells. */
export function imageLayer(image: CanvasImageSource, smooth = false): Layer {
  return (context, { left, top, width, height }) => {
    context.imageSmoothingEnabled = smooth;
    context.imageSmoothingQuality = "high";
    context.drawImage(image, left, top, width, height);
  };
}
