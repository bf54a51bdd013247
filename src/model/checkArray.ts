import { countOf } from "./shapes.ts";

interface TypedArrayType {
  new (length: number): Int8Array | Float32Array;
  readonly name: string;
}

/**
 * Checks a caller's array, once, at the library's edge.
 * @throws TypeError when it is not a `type`, RangeError when it does not hold that shape's values
 */
export function checkArray(
  name: string,
  value: Int8Array | Float32Array,
  type: TypedArrayType,
  shape: readonly number[],
): void {
  if (!(value instanceof type)) {
    throw new TypeError(`${name}: expected ${type.name}, got ${describe(value)}`);
  }
  const count = countOf(shape);
  if (value.length !== count) {
    const sizes = shape.join("x");
    throw new RangeError(`${name}: expected ${count} values (${sizes}), got ${value.length}`);
  }
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return (value as object).constructor?.name ?? typeof value;
}
