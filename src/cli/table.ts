/** Plain text tables for terminals. */

/**
 * Columns two spaces apart: the first to the left, the others to the right, the header in front.
 * Ends without a line break.
 */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const lines = [header, ...rows];
  const widths = header.map((_, i) => Math.max(...lines.map((line) => (line[i] ?? "").length)));
  return lines
    .map((line) =>
      widths
        .map((width, i) =>
          i === 0 ? (line[i] ?? "").padEnd(width) : (line[i] ?? "").padStart(width),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** `name   value` lines, the values in one column. */
export function formatFacts(facts: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd()).join("\n");
}
