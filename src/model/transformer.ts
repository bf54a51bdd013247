import type { SharedSpace } from "../engine/arena.ts";
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
import { CODE_MAX, moduleStorage, type Storage } from "./storage.ts";
import { WeightsError } from "./weightsError.ts";

/** A matrix [rows][columns] in module memory, rows adjacent. */
export interface Matrix {
  readonly address: number;
  readonly columns: number;
  readonly storage: Storage;
  readonly rowBytes: number;
  /** Offsets of all its rows. */
  readonly table: RowTable;
}

/** Keys, queries or values: `columns` columns of a matrix, from byte `offset` of each row. */
export interface Columns {
  readonly matrix: Matrix;
  readonly offset: number;
}

/** What turns a norm's or an attention's f32 values into codes, channel by channel. */
export interface Codes {
  /** Address of f32 [width] factors. */
  readonly scale: number;
  /** Address of s32 [width], added after rounding. */
  readonly zero: number;
  readonly storage: Storage;
}

/** Allocates matrices and makes the steps that transformer blocks consist of. */
export class Transformer {
  private readonly build: Build<CentralExports>;
  private readonly file: ModelFile;
  private readonly scratch: number;
  private readonly space: SharedSpace;
  private readonly placed = new Map<string, Codes>();
  /** What norms and attention leave. */
  readonly activations: "s16" | "u7";

  /**
   * @param keys most keys of any attention, for its scratch memory
   * @param space where matrices stand
   */
  constructor(build: Build<CentralExports>, file: ModelFile, keys: number, space: SharedSpace) {
    const { width, heads } = file.config.central;
    this.build = build;
    this.space = space;
    this.file = file;
    this.activations = file.config.central.activations ?? "s16";
    this.scratch = build.arena.alloc(attentionScratchBytes(keys, width / heads));
  }

  /** Values of it last until the decoder runs. */
  matrix(rows: number, columns: number, element: Element): Matrix {
    const { arena, name } = this.build;
    const storage = moduleStorage(element, name);
    const rowBytes = columns * storage.bytes;
    const address = this.space.alloc(roundUp(rows, TILE_ROWS) * rowBytes);
    const table = placeRows(arena, rows, (row) => row * rowBytes);
    return { address, columns, storage, rowBytes, table };
  }

  /** A constant matrix from the weights file. */
  constant(name: string, rows: number, columns: number, element: "f32" | "s16"): Matrix {
    const { arena, name: module } = this.build;
    const values =
      element === "f32"
        ? this.file.tensor(name, "F32", [rows, columns])
        : this.file.tensor(name, "I16", [rows, columns]);
    const storage = moduleStorage(element, module);
    const rowBytes = columns * storage.bytes;
    const table = placeRows(arena, rows, (row) => row * rowBytes);
    return { address: arena.place(values), columns, storage, rowBytes, table };
  }

  /** The weights of a dense layer, placed once and used by any number of steps. */
  layer(
    name: string,
    from: number,
    to: number,
    input: "s16" | "u7",
    inputMax: number = CODE_MAX[input],
  ): PlacedLayer {
    const storage = moduleStorage(input, this.build.name);
    return placeLayer(this.build, readLayer(this.file, name, [to, from], inputMax), storage);
  }

  /** to = layer(from), over the first `rows` rows. */
  dense(layer: PlacedLayer, from: Matrix, to: Matrix, rows: number): Step {
    const input = { address: from.address, table: firstRows(from.table, rows) };
    const output = { address: to.address, table: firstRows(to.table, rows), storage: to.storage };
    return linearStep(this.build, layer, input, output);
  }

  /** x += y over the first `rows` rows. */
  add(name: string, x: Matrix, y: Matrix, rows: number): Step {
    const { exports } = this.build;
    const [to, from, count] = [x.address, y.address, rows * x.columns];
    return { name, macs: 0, run: () => exports.add_f32(to, from, count) };
  }

  /** Row i of `x`, normalised, goes to `address` + offset i of the table. */
  norm(
    name: string,
    x: Matrix,
    { scale, zero, storage }: Codes,
    address: number,
    table: number,
    rows: number,
  ): Step {
    const { exports } = this.build;
    const { eps } = this.file.config.central;
    const { outKind, lo, hi } = storage;
    const [from, d] = [x.address, x.columns];
    const run = () =>
      exports.layer_norm(from, rows, d, eps, scale, zero, outKind, lo, hi, address, table);
    return { name, macs: 0, run };
  }

  normTo(name: string, x: Matrix, y: Matrix, rows: number): Step {
    const codes = this.codes(name, this.file.config.central.qscale);
    return this.norm(name, x, codes, y.address, y.table.address, rows);
  }

  /** How a norm or an attention writes codes: as the file says for each channel, or all of them as s16 in `scale`. */
  private codes(name: string, scale: number | undefined): Codes {
    if (this.activations === "s16") return this.signed(scale!);
    return this.once(name, () => {
      const { width } = this.file.config.central;
      const zero = this.file.tensor(`${name}.zero`, "I32", [width]);
      checkZeros(name, zero);
      return this.placeCodes(this.file.tensor(`${name}.scale`, "F32", [width]), zero, "u7");
    });
  }

  /** Codes s16, all channels in one scale. */
  signed(scale: number): Codes {
    return this.once(`s16 ${scale}`, () => {
      const { width } = this.file.config.central;
      return this.placeCodes(new Float32Array(width).fill(scale), new Int32Array(width), "s16");
    });
  }

  private placeCodes(scale: Float32Array, zero: Int32Array, element: "s16" | "u7"): Codes {
    const { arena, name } = this.build;
    return {
      scale: arena.place(scale),
      zero: arena.place(zero),
      storage: moduleStorage(element, name),
    };
  }

  /** A step for each number of present devices asks for the same codes. */
  private once(key: string, make: () => Codes): Codes {
    const codes = this.placed.get(key) ?? make();
    this.placed.set(key, codes);
    return codes;
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
    const { scale, zero, storage } = this.codes(name, outScale);
    const { outKind, lo, hi } = storage;
    const headDim = width / heads;
    const [qAt, kAt, vAt] = [q, k, v].map(({ matrix, offset }) => matrix.address + offset) as [
      number,
      number,
      number,
    ];
    const [qStride, kStride, vStride] = [q.matrix.rowBytes, k.matrix.rowBytes, v.matrix.rowBytes];
    const [scratch, y, yStride] = [this.scratch, to.address, to.rowBytes];
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

function checkZeros(name: string, zero: Int32Array): void {
  const bad = zero.findIndex((value) => value < 0 || value > CODE_MAX.u7);
  if (bad < 0) return;
  throw new WeightsError(`tensor ${name}.zero: expected 0..127, got ${zero[bad]} at ${bad}`);
}
