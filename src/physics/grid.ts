import { type Boundary, cpmlCell, PADDING, STRIP_CELLS, spongeDamping } from "./boundary.ts";
import type { SurveyGeometry } from "./survey.ts";

/** Fields of `AcousticGrid` in `assembly/lib/acousticGrid.ts`, in its order; 4 bytes each. */
const FIELDS = [
  "p",
  "d",
  "courant",
  "rows",
  "stride",
  "mapRows",
  "pad",
  "columnBytes",
  "keep",
  "strips",
  "psiX",
  "zetaX",
  "psiZ",
  "zetaZ",
  "top",
  "bottom",
  "left",
  "right",
] as const;

const HALO_CELLS = 4;
const HALO_ROWS = 2;
const PSI_Z_ROWS = STRIP_CELLS + 4;

/**
 * The padded grid of one survey in linear memory: places the arrays that `AcousticGrid` names and
 * fills those that depend on the map. Offsets are bytes from the start of memory.
 */
export class AcousticGrid {
  /** Where the struct lies; the `grid` argument of the module's functions. */
  readonly pointer: number;
  /** First byte after everything that belongs to the grid. */
  readonly end: number;
  /** Cells of the padded grid that each time step computes. */
  readonly cells: number;

  readonly #survey: SurveyGeometry;
  readonly #boundary: Boundary;
  readonly #pad: number;
  readonly #strideCells: number;
  readonly #fields: Record<(typeof FIELDS)[number], number>;
  /** What a shot changes and must start from zero. */
  readonly #state: readonly { start: number; end: number }[];

  constructor(survey: SurveyGeometry, boundary: Boundary, start: number) {
    this.#survey = survey;
    this.#boundary = boundary;
    this.#pad = PADDING[boundary];
    const rows = survey.rows + 2 * this.#pad;
    const columns = survey.columns + 2 * this.#pad;
    const width = 4 * Math.ceil(columns / 4);
    const stride = width + HALO_CELLS;
    this.#strideCells = stride;
    this.cells = rows * width;
    this.pointer = align(start);
    let end = align(this.pointer + 4 * FIELDS.length);
    const place = (cells: number) => {
      const at = end;
      end = align(end + 4 * cells);
      return at;
    };
    const firstCell = 4 * (HALO_ROWS * stride + HALO_CELLS);
    const fieldCells = (rows + 2 * HALO_ROWS) * stride + HALO_CELLS;
    const stateStart = end;
    const p = place(fieldCells) + firstCell;
    const d = place(fieldCells) + firstCell;
    const cpml = boundary === "fast";
    const psiX = cpml ? place(rows * 2 * STRIP_CELLS) : 0;
    const zetaX = cpml ? place(rows * 2 * STRIP_CELLS) : 0;
    const psiZ = cpml ? place(2 * PSI_Z_ROWS * stride) : 0;
    const zetaZ = cpml ? place(2 * STRIP_CELLS * stride) : 0;
    this.#state = [{ start: stateStart, end }];
    this.#fields = {
      p,
      d,
      psiX,
      zetaX,
      psiZ,
      zetaZ,
      courant: place(survey.rows * stride),
      rows,
      stride: 4 * stride,
      mapRows: survey.rows,
      pad: this.#pad,
      columnBytes: 4 * columns,
      keep: cpml ? 0 : place((this.#pad + 1) * stride),
      strips: cpml ? place(2 * 3 * STRIP_CELLS) : 0,
      top: 0,
      bottom: rows,
      left: 0,
      right: 4 * width,
    };
    this.end = end;
  }

  /** Index of the map's cell (row, column) in memory seen as f32. */
  cellIndex(row: number, column: number): number {
    return (this.#fields.p + this.cellOffset(row, column)) / 4;
  }

  /** Byte offset of the map's cell (row, column) from `p`. */
  cellOffset(row: number, column: number): number {
    return 4 * ((row + this.#pad) * this.#strideCells + column + this.#pad);
  }

  /** Writes the struct; once, after memory has grown to `end`. */
  writeStruct(memory: ArrayBuffer): void {
    const words = new Uint32Array(memory, this.pointer, FIELDS.length);
    FIELDS.forEach((field, i) => {
      words[i] = this.#fields[field];
    });
  }

  /** Zeroes the wavefields and the boundary's memory: the state before a shot. */
  clear(bytes: Uint8Array): void {
    for (const { start, end } of this.#state) bytes.fill(0, start, end);
  }

  /** Fills every array that depends on the map. `cells` views memory as f32. */
  setMap(map: Float32Array, slowest: number, fastest: number, cells: Float32Array): void {
    this.#setCourant(map, cells);
    if (this.#boundary === "openfwi") this.#setSponge(slowest, cells);
    else this.#setCpml(fastest, cells);
  }

  #setCourant(map: Float32Array, cells: Float32Array): void {
    const { rows, columns, sampleS, spacingM } = this.#survey;
    const pad = this.#pad;
    for (let row = 0; row < rows; row++) {
      let at = this.#fields.courant / 4 + row * this.#strideCells;
      for (let column = -pad; column < columns + pad; column++) {
        const inside = Math.min(Math.max(column, 0), columns - 1);
        const number = ((map[row * columns + inside] ?? 0) * sampleS) / spacingM;
        cells[at++] = (number * number) / 12;
      }
    }
  }

  #setSponge(slowest: number, cells: Float32Array): void {
    const { columns, sampleS, spacingM } = this.#survey;
    const pad = this.#pad;
    const keepAt = (distance: number) =>
      distance < pad ? 1 - spongeDamping(distance, slowest, spacingM, sampleS) : 1;
    for (let row = 0; row <= pad; row++) {
      const at = this.#fields.keep / 4 + row * this.#strideCells;
      const rowKeep = keepAt(row);
      cells.fill(rowKeep, at + pad, at + pad + columns);
      for (let i = 0; i < pad; i++) {
        cells[at + i] = keepAt(i);
        cells[at + pad + columns + pad - 1 - i] = keepAt(i);
      }
    }
  }

  #setCpml(fastest: number, cells: Float32Array): void {
    const { sampleS, spacingM } = this.#survey;
    const left = this.#fields.strips / 4;
    const right = left + 3 * STRIP_CELLS;
    for (let k = 0; k < STRIP_CELLS; k++) {
      const { decay, gain } = cpmlCell(k, fastest, spacingM, sampleS);
      for (const at of [left + k, right + STRIP_CELLS - 1 - k]) {
        cells[at] = decay;
        cells[at + STRIP_CELLS] = gain;
        cells[at + 2 * STRIP_CELLS] = gain / 12;
      }
    }
  }
}

function align(bytes: number): number {
  return 16 * Math.ceil(bytes / 16);
}
