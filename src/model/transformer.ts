import {
  attentionScratchBytes,
  type CentralExports,
  roundUp,
  TILE_ROWS,
} from "../engine/kernels.ts";
import type { Build } from "./build.ts";
import type { AttentionScales, Element } from "./config.ts";
import { readLayer } from "./layerWeights.ts";
import { linearStep, type PlacedLayer, placeLayer } from "./linear.ts";
import type { ModelFile } from "./modelFile.ts";
import { firstRows, placeRows, type RowTable } from "./offsets.ts";
import type { Step } from "./step.ts";
import { CODE_MAX, storageOf } from "./storage.ts";

/** A matrix [rows][columns] in module memory, rows adjacent. */
export interface Matrix {
  readonly address: number;
  readonly columns: number;
  readonly element: Element;
  readonly rowBytes: number;
  /** Offsets of all its rows. */
  readonly table: RowTable;
}

/** Keys, queries or values: `columns` columns of a matrix, from byte `offset` of each row. */
export interface Columns {
  readonly matrix: Matrix;
  readonly offset: number;
}

/** Allocates matrices and makes the steps that transformer blocks consist of. */
export class Transformer {
  private readonly build: Build<CentralExports>;
  private readonly file: ModelFile;
  private readonly scratch: number;
  /** Address of a zero for every channel. */
  private readonly zero: number;
  private readonly scales = new Map<number, number>();

  /** @param keys most keys of any attention, for its scratch memory */
  constructor(build: Build<CentralExports>, file: ModelFile, keys: number) {
    const { width, heads } = file.config.central;
    this.build = build;
    this.file = file;
    this.scratch = build.arena.alloc(attentionScratchBytes(keys, width / heads));
    this.zero = build.arena.place(new Int32Array(width));
  }

  matrix(rows: number, columns: number, element: Element): Matrix {
    const { arena, name } = this.build;
    const rowBytes = columns * storageOf(element, name).bytes;
    const address = arena.alloc(roundUp(rows, TILE_ROWS) * rowBytes);
    const table = placeRows(arena, rows, (row) => row * rowBytes);
    return { address, columns, element, rowBytes, table };
  }

  /** A constant matrix from the weights file. */
  constant(name: string, rows: number, columns: number, element: "f32" | "s16"): Matrix {
    const { arena } = this.build;
    const values =
      element === "f32"
        ? this.file.tensor(name, "F32", [rows, columns])
        : this.file.tensor(name, "I16", [rows, columns]);
    const rowBytes = columns * storageOf(element, this.build.name).bytes;
    const table = placeRows(arena, rows, (row) => row * rowBytes);
    return { address: arena.place(values), columns, element, rowBytes, table };
  }

  /** The weights of a dense layer, placed once and used by any number of steps. */
  layer(
    name: string,
    from: number,
    to: number,
    input: "s16" | "u7",
    inputMax: number = CODE_MAX[input],
  ): PlacedLayer {
    return placeLayer(this.build, readLayer(this.file, name, [to, from], inputMax), input);
  }

  /** to = layer(from), over the first `rows` rows. */
  dense(layer: PlacedLayer, from: Matrix, to: Matrix, rows: number): Step {
    const input = { address: from.address, table: firstRows(from.table, rows) };
    const output = { address: to.address, table: firstRows(to.table, rows), element: to.element };
    return linearStep(this.build, layer, input, output);
  }

  /** x += y over the first `rows` rows. */
  add(name: string, x: Matrix, y: Matrix, rows: number): Step {
    const { exports } = this.build;
    const [to, from, count] = [x.address, y.address, rows * x.columns];
    return { name, macs: 0, run: () => exports.add_f32(to, from, count) };
  }

  /** Row i of `x`, normalised, goes to `address` + offset i of the table. */
  norm(name: string, x: Matrix, address: number, table: number, rows: number): Step {
    const { exports } = this.build;
    const { eps, qscale } = this.file.config.central;
    const [from, d] = [x.address, x.columns];
    const run = () => exports.layer_norm_s16(from, rows, d, eps, qscale, address, table);
    return { name, macs: 0, run };
  }

  normTo(name: string, x: Matrix, y: Matrix, rows: number): Step {
    return this.norm(name, x, y.address, y.table.address, rows);
  }

  /** Address of `scale` for every channel, placed once. */
  private channelScales(scale: number): number {
    const known = this.scales.get(scale);
    if (known !== undefined) return known;
    const { width } = this.file.config.central;
    const address = this.build.arena.place(new Float32Array(width).fill(scale));
    this.scales.set(scale, address);
    return address;
  }

  /** to = softmax(q k^T) v over `queries` rows of q and `keys` rows of k and v. */
  attention(
    name: string,
    scales: AttentionScales,
    q: Columns,
    k: Columns,
    v: Columns,
    to: Matrix,
    queries: number,
    keys: number,
  ): Step {
    const { exports } = this.build;
    const { heads, width } = this.file.config.central;
    const { scoreScale, outScale } = scales;
    const { outKind, lo, hi } = storageOf(to.element, this.build.name);
    const scale = this.channelScales(outScale);
    const headDim = width / heads;
    const [qAt, kAt, vAt] = [q, k, v].map(({ matrix, offset }) => matrix.address + offset) as [
      number,
      number,
      number,
    ];
    const [qStride, kStride, vStride] = [q.matrix.rowBytes, k.matrix.rowBytes, v.matrix.rowBytes];
    const [zero, scratch, y, yStride] = [this.zero, this.scratch, to.address, to.rowBytes];
    return {
      name,
      macs: 2 * queries * keys * width,
      run: () =>
        exports.attention_s16(
          qAt,
          qStride,
          kAt,
          kStride,
          vAt,
          vStride,
          queries,
          keys,
          heads,
          headDim,
          scoreScale,
          scale,
          zero,
          outKind,
          lo,
          hi,
          scratch,
          y,
          yStride,
        ),
    };
  }
}
