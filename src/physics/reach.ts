import { type Boundary, PADDING, STRIP_CELLS } from "./boundary.ts";
import type { GridPoint, SurveyGeometry } from "./survey.ts";

/** Steps that share one window (`WINDOW_STEPS` in `assembly/physics.ts`). */
export const WINDOW_STEPS = 8;

/** Cells on each side of the blocks that travel times are known for. */
const BLOCK = 4;
/** Sweeps find times of blocks, up to a tenth late on diagonals near the start: this share of them is trusted. */
const TIME_TRUST = 0.9;
/** Rounds of four sweeps; times change by less than a step in a third one. */
const ROUNDS = 2;

/**
 * Which part of the padded grid a shot needs at each time. A cell matters once the first arrival has
 * reached it, and as long as what leaves it can still be at a receiver before the record ends. The
 * window of a step is the rectangle round the cells that the wave has reached, cut with the rectangle
 * round those that can still be heard.
 *
 * Times come from the eikonal equation on blocks of 4 x 4 cells with the greatest velocity of each
 * (fast sweeping, Zhao 2005). A tenth of every time and one block on every side are kept in hand;
 * records differ from those of the whole grid by rounding (test/physics/reach.test.ts).
 */
export class ReachedWindows {
  /** Groups of `WINDOW_STEPS` steps in a record. */
  readonly count: number;

  readonly #survey: SurveyGeometry;
  readonly #boundary: Boundary;
  readonly #pad: number;
  readonly #rows: number;
  readonly #columns: number;
  /** Time to cross each block, steps; [rows][columns]. */
  readonly #crossing: Float64Array;
  readonly #times: Float64Array;
  readonly #heard: Boxes;
  readonly #reached: Boxes;

  constructor(survey: SurveyGeometry, boundary: Boundary) {
    this.#survey = survey;
    this.#boundary = boundary;
    this.#pad = PADDING[boundary];
    this.#rows = Math.ceil((survey.rows + 2 * this.#pad) / BLOCK);
    this.#columns = Math.ceil((survey.columns + 2 * this.#pad) / BLOCK);
    this.count = Math.ceil(survey.samples / WINDOW_STEPS);
    this.#crossing = new Float64Array(this.#rows * this.#columns);
    this.#times = new Float64Array(this.#rows * this.#columns);
    this.#heard = new Boxes(this.count);
    this.#reached = new Boxes(this.count);
  }

  /** Takes a map, m/s, [rows][columns], and finds out until when each block can be heard. */
  setMap(map: Float32Array): void {
    const { samples, receivers } = this.#survey;
    this.#setCrossing(map);
    this.#sweepFrom(receivers);
    this.#heard.clear();
    this.#eachBlock((row, column, time) => {
      const last = Math.floor((samples - time) / WINDOW_STEPS);
      if (last >= 0) this.#heard.add(Math.min(last, this.count - 1), row, column);
    });
    this.#heard.includeLater();
  }

  /**
   * The windows of a shot at `source`, u32 [count][4]: top, bottom, left and right as
   * `acoustic2d_shot` takes them. Returns the cells of all its steps.
   */
  write(source: GridPoint, windows: Uint32Array): number {
    this.#sweepFrom([source]);
    this.#reached.clear();
    this.#eachBlock((row, column, time) => {
      const first = Math.floor(time / WINDOW_STEPS);
      if (first < this.count) this.#reached.add(first, row, column);
    });
    this.#reached.includeEarlier();
    let cells = 0;
    for (let i = 0; i < this.count; i++) {
      const [top, bottom] = this.#cut("top", "bottom", i, this.#survey.rows);
      const [left, right] = this.#cut("left", "right", i, this.#survey.columns);
      windows.set([top, bottom, 4 * left, 4 * right], 4 * i);
      const steps = Math.min(WINDOW_STEPS, this.#survey.samples - i * WINDOW_STEPS);
      cells += steps * (bottom - top) * (right - left);
    }
    return cells;
  }

  /** Cells from .. to along one axis, whole strips or none of theirs, one block wider than the boxes' common part. */
  #cut(
    low: "top" | "left",
    high: "bottom" | "right",
    i: number,
    mapCells: number,
  ): [number, number] {
    const size = mapCells + 2 * this.#pad;
    const end = low === "left" ? BLOCK * Math.ceil(size / BLOCK) : size;
    let from = BLOCK * (Math.max(this.#reached[low][i]!, this.#heard[low][i]!) - 1);
    let to = BLOCK * (Math.min(this.#reached[high][i]!, this.#heard[high][i]!) + 2);
    if (to - from < BLOCK) return [0, end]; // nothing is heard of this shot: any window will do
    const strip = this.#boundary === "fast" ? STRIP_CELLS : BLOCK;
    if (from < strip) from = 0;
    if (to > size - strip) to = end;
    return [from, to];
  }

  #setCrossing(map: Float32Array): void {
    const { rows, columns, spacingM, sampleS } = this.#survey;
    const inside = (i: number, count: number) => Math.min(Math.max(i - this.#pad, 0), count - 1);
    const fastest = new Float64Array(this.#crossing.length);
    for (let row = 0; row < rows + 2 * this.#pad; row++) {
      const from = inside(row, rows) * columns;
      const to = Math.floor(row / BLOCK) * this.#columns;
      for (let column = 0; column < columns + 2 * this.#pad; column++) {
        const at = to + Math.floor(column / BLOCK);
        fastest[at] = Math.max(fastest[at]!, map[from + inside(column, columns)]!);
      }
    }
    for (let i = 0; i < fastest.length; i++) {
      this.#crossing[i] = (BLOCK * spacingM) / (fastest[i]! * sampleS);
    }
  }

  /** First arrivals from any of `points`, steps. */
  #sweepFrom(points: readonly GridPoint[]): void {
    this.#times.fill(Number.POSITIVE_INFINITY);
    for (const { row, column } of points) {
      const block = (i: number) => Math.floor((i + this.#pad) / BLOCK);
      this.#times[block(row) * this.#columns + block(column)] = 0;
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const down of [true, false]) {
        for (const right of [true, false]) this.#sweep(down, right);
      }
    }
  }

  #sweep(down: boolean, right: boolean): void {
    const rows = this.#rows;
    const columns = this.#columns;
    const times = this.#times;
    // OpenFWI's scheme wraps round at its outer edge, and so do its waves.
    const wraps = this.#boundary === "openfwi";
    const edge = (at: number) => (wraps ? times[at]! : Number.POSITIVE_INFINITY);
    for (let i = 0; i < rows; i++) {
      const row = down ? i : rows - 1 - i;
      const start = row * columns;
      for (let j = 0; j < columns; j++) {
        const column = right ? j : columns - 1 - j;
        const at = start + column;
        const west = column > 0 ? times[at - 1]! : edge(start + columns - 1);
        const east = column < columns - 1 ? times[at + 1]! : edge(start);
        const north = row > 0 ? times[at - columns]! : edge((rows - 1) * columns + column);
        const south = row < rows - 1 ? times[at + columns]! : edge(column);
        const x = west < east ? west : east;
        const z = north < south ? north : south;
        const time = arrival(x, z, this.#crossing[at]!);
        if (time < times[at]!) times[at] = time;
      }
    }
  }

  #eachBlock(visit: (row: number, column: number, time: number) => void): void {
    for (let at = 0, row = 0; row < this.#rows; row++) {
      for (let column = 0; column < this.#columns; column++, at++) {
        visit(row, column, TIME_TRUST * this.#times[at]!);
      }
    }
  }
}

/** Solves (t - x)^2 + (t - z)^2 = crossing^2 upwind: the first-order eikonal update. */
function arrival(x: number, z: number, crossing: number): number {
  const difference = x - z;
  if (!(Math.abs(difference) < crossing)) return (x < z ? x : z) + crossing;
  return (x + z + Math.sqrt(2 * crossing * crossing - difference * difference)) / 2;
}

/** One bounding box of blocks, inclusive, per group of steps. */
class Boxes {
  readonly top: Int32Array;
  readonly bottom: Int32Array;
  readonly left: Int32Array;
  readonly right: Int32Array;

  constructor(count: number) {
    this.top = new Int32Array(count);
    this.bottom = new Int32Array(count);
    this.left = new Int32Array(count);
    this.right = new Int32Array(count);
  }

  clear(): void {
    this.top.fill(2 ** 20);
    this.left.fill(2 ** 20);
    this.bottom.fill(-(2 ** 20));
    this.right.fill(-(2 ** 20));
  }

  add(i: number, row: number, column: number): void {
    this.#widen(i, row, row, column, column);
  }

  /** Box i becomes the one round boxes 0 .. i. */
  includeEarlier(): void {
    for (let i = 1; i < this.top.length; i++) this.#include(i, i - 1);
  }

  /** Box i becomes the one round boxes i and later. */
  includeLater(): void {
    for (let i = this.top.length - 2; i >= 0; i--) this.#include(i, i + 1);
  }

  #include(i: number, other: number): void {
    this.#widen(i, this.top[other]!, this.bottom[other]!, this.left[other]!, this.right[other]!);
  }

  #widen(i: number, top: number, bottom: number, left: number, right: number): void {
    this.top[i] = Math.min(this.top[i]!, top);
    this.bottom[i] = Math.max(this.bottom[i]!, bottom);
    this.left[i] = Math.min(this.left[i]!, left);
    this.right[i] = Math.max(this.right[i]!, right);
  }
}
