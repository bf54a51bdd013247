/** What one touch of the brush does to a map. */
export interface Cell {
  readonly row: number;
  readonly column: number;
}

/** Writes a disc into a map [rows][columns]. */
export function paintDisc(
  map: Float32Array,
  columns: number,
  centre: Cell,
  radius: number,
  velocityMps: number,
): void {
  const rows = map.length / columns;
  for (
    let row = Math.max(0, centre.row - radius);
    row <= Math.min(rows - 1, centre.row + radius);
    row++
  ) {
    for (let column = 0; column < columns; column++) {
      const distance = Math.hypot(row - centre.row, column - centre.column);
      if (distance <= radius + 0.3) map[row * columns + column] = velocityMps;
    }
  }
}
