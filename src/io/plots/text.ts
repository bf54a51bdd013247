/** The bitmap font at twice its size with smooth diagonals. */
import { fontAscent, fontHeight, type Glyph, glyph } from "./font.ts";

/** Picture pixels per font pixel. */
const scale = 2;

/** Height of capitals and digits in picture pixels. */
export const textHeight = fontAscent * scale;

/** Width of a text in picture pixels. */
export function textPixels(text: string): number {
  let width = 0;
  for (const character of text) width += (glyph(character).width + 1) * scale;
  return Math.max(0, width - scale);
}

/** Calls `put` for each inked pixel: along the line, down from its top, amount of ink 0..1. */
export function drawText(
  text: string,
  put: (along: number, down: number, amount: number) => void,
): void {
  let start = 0;
  for (const character of text) {
    const { width, ink } = smooth(character);
    for (let i = 0; i < ink.length; i++) {
      if (ink[i] !== 0) put(start + (i % width), Math.floor(i / width), ink[i]!);
    }
    start += width + scale;
  }
}

interface SmoothGlyph {
  readonly width: number;
  readonly ink: Float32Array;
}

const smoothed = new Map<string, SmoothGlyph>();

/** Two rounds of EPX to four times the size, then halved: 16 shades, straight lines stay sharp. */
function smooth(character: string): SmoothGlyph {
  const known = smoothed.get(character);
  if (known) return known;
  const large = doubleEpx(doubleEpx(padded(glyph(character))));
  const width = large.width / 2 - 2 * scale;
  const ink = new Float32Array(width * fontHeight * scale);
  for (let i = 0; i < ink.length; i++) {
    const x = 2 * ((i % width) + scale);
    const y = 2 * (Math.floor(i / width) + scale);
    const at = y * large.width + x;
    ink[i] =
      (large.ink[at]! +
        large.ink[at + 1]! +
        large.ink[at + large.width]! +
        large.ink[at + large.width + 1]!) /
      4;
  }
  const result = { width, ink };
  smoothed.set(character, result);
  return result;
}

/** One empty pixel on every side, so that EPX sees neighbours everywhere. */
function padded({ width, ink }: Glyph): Glyph {
  const wide = width + 2;
  const result = new Uint8Array(wide * (fontHeight + 2));
  for (let y = 0; y < fontHeight; y++) {
    result.set(ink.subarray(y * width, (y + 1) * width), (y + 1) * wide + 1);
  }
  return { width: wide, ink: result };
}

/** Eric Johnston's EPX (Scale2x): a corner takes its neighbours' value where those two agree. */
function doubleEpx({ width, ink }: Glyph): Glyph {
  const height = ink.length / width;
  const result = new Uint8Array(ink.length * 4);
  const at = (x: number, y: number) =>
    x < 0 || y < 0 || x >= width || y >= height ? 0 : ink[y * width + x]!;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [up, right, down, left] = [at(x, y - 1), at(x + 1, y), at(x, y + 1), at(x - 1, y)];
      const own = at(x, y);
      const corner = (a: number, b: number, c: number, d: number) =>
        a === b && a !== c && b !== d ? a : own;
      const to = 2 * y * 2 * width + 2 * x;
      result[to] = corner(left, up, down, right);
      result[to + 1] = corner(up, right, left, down);
      result[to + 2 * width] = corner(down, left, right, up);
      result[to + 2 * width + 1] = corner(right, down, up, left);
    }
  }
  return { width: 2 * width, ink: result };
}
