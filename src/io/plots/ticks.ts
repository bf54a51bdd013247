/** Round numbers for axes. */

/** About `count` round values inside [low, high], ends included where round. */
export function ticks(low: number, high: number, count = 5): number[] {
  const step = roundStep((high - low) / count);
  const values: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    values.push(i * step);
  }
  return values;
}

/** `1500`, `0.2`, `-300`: as many decimals as the step needs. */
export function formatTick(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** The smallest of 1, 2, 5 times a power of ten that is at least `value` (> 0). */
export function roundStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const mantissa = value / power;
  const round = [1, 2, 5, 10].find((candidate) => mantissa <= candidate * (1 + 1e-9)) ?? 10;
  return round * power;
}
