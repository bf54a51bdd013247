/** A horizontal colour scale with its numbers and unit. */

import type { ColourScale } from "../../../src/io/plots/colours.ts";
import { ticks } from "../../../src/io/plots/ticks.ts";
import { onResize } from "./resize.ts";
import { onThemeChange, theme } from "./theme.ts";

export interface ColourBarOptions {
  readonly scale: ColourScale;
  readonly label: string;
  readonly ticks?: number;
  /** Both ends stand for more than they say. */
  readonly clipped?: boolean;
}

const HEIGHT = 34;
const TOP = 4;
const BAR = 9;
/** The pictures' own margins, so that bar and picture line up. */
const LEFT = 46;
const RIGHT = 10;

export class ColourBar {
  readonly #canvas: HTMLCanvasElement;
  readonly #options: ColourBarOptions;

  constructor(canvas: HTMLCanvasElement, options: ColourBarOptions) {
    this.#canvas = canvas;
    this.#options = options;
    canvas.setAttribute("role", "img");
    const { low, high } = options.scale;
    canvas.setAttribute("aria-label", `Colour scale, ${options.label}, ${low} to ${high}`);
    onResize(canvas.parentElement!, () => this.#draw());
    onThemeChange(() => this.#draw());
    this.#draw();
  }

  #draw(): void {
    const { scale, label, clipped = false, ticks: count } = this.#options;
    const { low, high } = scale;
    const width = Math.max(20, this.#canvas.parentElement!.clientWidth - LEFT - RIGHT);
    const context = this.#prepare();
    for (let x = 0; x < width; x++) {
      context.fillStyle = css(scale.colour(low + ((high - low) * (x + 0.5)) / width));
      context.fillRect(LEFT + x, TOP, 1.5, BAR);
    }
    const { muted, line } = theme();
    context.strokeStyle = line;
    context.strokeRect(LEFT - 0.5, TOP - 0.5, width + 1, BAR + 1);
    if (clipped) {
      drawPoint(context, LEFT, -1, css(scale.colour(low)));
      drawPoint(context, LEFT + width, 1, css(scale.colour(high)));
    }
    context.fillStyle = muted;
    context.font = "11px Inter, system-ui, sans-serif";
    context.textBaseline = "middle";
    for (const { value, label: text } of ticks(low, high, count)) {
      const share = (value - low) / (high - low);
      const at = LEFT + share * width;
      context.fillRect(Math.round(at) - 0.5, TOP + BAR + 1, 1, 4);
      context.textAlign = share > 0.99 ? "right" : "center";
      context.fillText(text.replace("-", "−"), share > 0.99 ? at + RIGHT : at, TOP + BAR + 13);
    }
    context.textAlign = "left";
    context.fillText(label, 0, TOP + BAR / 2 + 0.5);
  }

  /** The canvas at its container's width, cleared, in CSS px. */
  #prepare(): CanvasRenderingContext2D {
    const density = devicePixelRatio || 1;
    this.#canvas.width = Math.round(this.#canvas.parentElement!.clientWidth * density);
    this.#canvas.height = Math.round(HEIGHT * density);
    this.#canvas.style.height = `${HEIGHT}px`;
    const context = this.#canvas.getContext("2d")!;
    context.scale(density, density);
    return context;
  }
}

/** The pointed end of a scale whose last colour stands for all values beyond. */
function drawPoint(
  context: CanvasRenderingContext2D,
  x: number,
  direction: 1 | -1,
  colour: string,
): void {
  context.beginPath();
  context.moveTo(x + direction, TOP - 1);
  context.lineTo(x + 8 * direction, TOP + BAR / 2);
  context.lineTo(x + direction, TOP + BAR + 1);
  context.closePath();
  context.fillStyle = colour;
  context.fill();
  context.stroke();
}

function css([red, green, blue]: readonly [number, number, number]): string {
  return `rgb(${red} ${green} ${blue})`;
}
