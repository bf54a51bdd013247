/** Numbers with their units, as the tables and the report print them. */

/** `1,084 B`, `280 kB`, `1.40 MB`: three digits from 10 kB on, decimal units. */
export function formatBytes(bytes: number): string {
  if (bytes < 10_000) return `${formatCount(bytes)} B`;
  const [unit, size] = bytes < 999_500 ? ["kB", 1e3] : bytes < 999.5e6 ? ["MB", 1e6] : ["GB", 1e9];
  return `${threeDigits(bytes / size)} ${unit}`;
}

/** `0.412 ms`, `38.1 ms`, `1.24 s`: three digits. */
export function formatMs(ms: number): string {
  return ms < 999.5 ? `${threeDigits(ms)} ms` : `${threeDigits(ms / 1000)} s`;
}

/** `1,234,567` */
export function formatCount(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `258x`, `8.90x` */
export function formatRatio(ratio: number): string {
  return `${ratio >= 100 ? formatCount(ratio) : threeDigits(ratio)}x`;
}

/** For values below 1000; never more than three decimals. */
function threeDigits(value: number): string {
  return value < 0.1 ? value.toFixed(3) : value.toPrecision(3);
}
