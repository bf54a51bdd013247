/** Norms and maps that the forward-modelling tests share. */
import { OPENFWI_SURVEY } from "../../src/physics/index.ts";

/** ||a - b|| / ||b|| over all values. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let error = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    error += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return Math.sqrt(error / norm);
}

/** A map from a velocity law, m/s. */
export function mapOf(
  law: (row: number, column: number) => number,
  { rows, columns } = OPENFWI_SURVEY,
): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) =>
    law(Math.floor(i / columns), i % columns),
  );
}

/** One trace of a record [shots][samples][receivers]. */
export function trace(
  record: Float32Array,
  { samples, receivers } = OPENFWI_SURVEY,
  shot = 0,
  receiver = 0,
): Float64Array {
  const count = receivers.length;
  return Float64Array.from(
    { length: samples },
    (_, i) => record[(shot * samples + i) * count + receiver]!,
  );
}
