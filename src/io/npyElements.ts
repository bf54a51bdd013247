/** What an npy file may hold instead of little-endian float32 in C order, and how it becomes that. */

/** A type of value that is read; all are converted to float32. */
export interface NpyElement {
  readonly bytes: 4 | 8;
  readonly littleEndian: boolean;
}

/** By numpy's `descr`. `=` would be the writer's own order, which no file carries. */
export const npyElements: Readonly<Record<string, NpyElement>> = {
  "'<f4'": { bytes: 4, littleEndian: true },
  "'>f4'": { bytes: 4, littleEndian: false },
  "'<f8'": { bytes: 8, littleEndian: true },
  "'>f8'": { bytes: 8, littleEndian: false },
};

/** A value that a float32 cannot hold. */
export interface Overflow {
  readonly index: number;
  readonly value: number;
}

/**
 * Values of `bytes` rounded to float32 in `out`, which decides how many. NaN and infinity pass.
 * Returns the first finite value that float32 would make infinite, after which nothing is written.
 */
export function decodeElements(
  bytes: Uint8Array,
  { bytes: width, littleEndian }: NpyElement,
  out: Float32Array,
): Overflow | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < out.length; i++) {
    if (width === 4) {
      out[i] = view.getFloat32(4 * i, littleEndian);
      continue;
    }
    const value = view.getFloat64(8 * i, littleEndian);
    out[i] = value;
    if (!Number.isFinite(out[i]) && Number.isFinite(value)) return { index: i, value };
  }
  return undefined;
}

/** True when both orders are the same bytes: at most one axis is longer than one. */
export function isOrderFree(shape: readonly number[]): boolean {
  return shape.filter((length) => length !== 1).length <= 1;
}

/** The values of an array of `shape` from Fortran order (first axis fastest) to C order. */
export function fortranToC(values: Float32Array, shape: readonly number[]): Float32Array {
  const strides: number[] = [];
  let stride = 1;
  for (const length of shape) {
    strides.push(stride);
    stride *= length;
  }
  const out = new Float32Array(values.length);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = values[from]!;
    // Counts up like an odometer, last axis fastest.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}
