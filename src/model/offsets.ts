import type { Arena } from "../engine/arena.ts";
import { roundUp, TILE_ROWS } from "../engine/kernels.ts";

/** Byte offsets of the rows that a kernel reads or writes, in the module's memory. */
export interface RowTable {
  readonly address: number;
  /** Rows that count. */
  readonly rows: number;
  /** Rows in the table: a whole number of tiles. */
  readonly padded: number;
}

/** Places a table of `rows` offsets: `offset(row)` each. */
export function placeRows(arena: Arena, rows: number, offset: (row: number) => number): RowTable {
  const offsets = new Uint32Array(roundUp(rows, TILE_ROWS));
  for (let row = 0; row < rows; row++) offsets[row] = offset(row);
  return placeTable(arena, offsets, rows);
}

/**
 * Places a table whose first `rows` offsets are set. The last one is repeated to fill up a tile, so that igemm has no
 * tail: it computes that row again and writes the same values to the same place.
 */
export function placeTable(arena: Arena, offsets: Uint32Array, rows: number): RowTable {
  offsets.fill(offsets[rows - 1]!, rows);
  return { address: arena.place(offsets), rows, padded: offsets.length };
}

/** The first `rows` of a table; `rows` is a multiple of a tile or all of them. */
export function firstRows(table: RowTable, rows: number): RowTable {
  return rows === table.rows ? table : { address: table.address, rows, padded: rows };
}
