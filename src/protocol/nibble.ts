/** Latent codes per step of the 4-bit encoding: 7 · 18 = 126 covers the range of an int8 code. */
export const NIBBLE_STEP = 18;
export const NIBBLE_MAX = 7;

/** The 4-bit step of a code: no code -127..127 is half-way between two steps but multiples of 9, which round to even. */
export function nibbleOf(code: number): number {
  const scaled = code / NIBBLE_STEP;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
  return Math.max(-NIBBLE_MAX, Math.min(NIBBLE_MAX, rounded));
}
