/** Colour scales: viridis for velocity, red-white-blue for errors, grey for traces. */
import { interpolateRdBu, interpolateViridis } from "d3-scale-chromatic";
import type { Colour } from "./bitmap.ts";

/** A value range painted with a colour table. */
export interface ColourScale {
  readonly low: number;
  readonly high: number;
  /** The colour of a value; values outside take the end colours. */
  colour(value: number): Colour;
}

/** Perceptually even, safe for colour-blind readers. */
export function viridisScale(low: number, high: number): ColourScale {
  return tableScale(low, high, viridis);
}

/** Blue below zero, white at zero, red above: -limit..limit. */
export function divergingScale(limit: number): ColourScale {
  return tableScale(-limit, limit, diverging);
}

/** Seismic convention: black is a positive swing, white a negative one: -limit..limit. */
export function greyScale(limit: number): ColourScale {
  return tableScale(-limit, limit, grey);
}

const shades = 256;
const viridis = table(interpolateViridis);
const diverging = table((share) => interpolateRdBu(1 - share));
const grey = Array.from({ length: shades }, (_, i): Colour => {
  const level = shades - 1 - i;
  return [level, level, level];
});

function table(interpolate: (share: number) => string): Colour[] {
  return Array.from({ length: shades }, (_, i) => parseColour(interpolate(i / (shades - 1))));
}

/** d3 answers "#440154" for viridis and "rgb(5, 48, 97)" for the diverging maps. */
function parseColour(text: string): Colour {
  const numbers = text.startsWith("#")
    ? [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16))
    : (text.match(/\d+/g) ?? []).map(Number);
  return [numbers[0]!, numbers[1]!, numbers[2]!];
}

function tableScale(low: number, high: number, colours: readonly Colour[]): ColourScale {
  const step = shades / (high - low || 1);
  return {
    low,
    high,
    colour(value) {
      const index = Math.floor((value - low) * step);
      return colours[Math.min(shades - 1, Math.max(0, index))]!;
    },
  };
}
