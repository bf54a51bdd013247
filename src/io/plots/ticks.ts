/** Round numbers for axes. */

export interface Tick {
  readonly value: number;
  /** All labels of an axis show the same number of decimals. */
  readonly label: string;
}

/** About `count` round values inside [low, high], ends included where round. */
export function ticks(low: number, high: number, count = 5): Tick[] {
  const step = roundStep((high - low) / count);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const result: Tick[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    result.push({ value: i * step, label: (i * step).toFixed(decimals) });
  }
  return result;
}

/** The smallest of 1, 2, 5 times a power of ten that is at least `value` (> 0). */
export function roundStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const mantissa = value / power;
  const round = [1, 2, 5, 10].find((candidate) => mantissa <= candidate * (1 + 1e-9)) ?? 10;
  return round * power;
}
