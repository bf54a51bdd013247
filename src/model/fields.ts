import { WeightsError } from "./weightsError.ts";

/** Longest list of integers: one per receiver of the largest survey. */
const LIST_MAX = 65536;

/**
 * Reads the fields of one JSON object, each with its own check, and names the field in full when it
 * fails: `config.edge.layers[1].kernel: expected an integer in 1..255, got 0`.
 */
export class Fields {
  private readonly object: Readonly<Record<string, unknown>>;
  private readonly path: string;

  /**
   * @param value what `JSON.parse` gave
   * @param path how messages name it
   * @throws WeightsError when `value` is not an object
   */
  constructor(value: unknown, path: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new WeightsError(`${path}: expected an object, got ${describe(value)}`);
    }
    this.object = value as Record<string, unknown>;
    this.path = path;
  }

  fields(key: string): Fields {
    return new Fields(this.object[key], this.name(key));
  }

  /** A free object, or {} when it is absent: what the runtime carries but does not read. */
  free(key: string): Readonly<Record<string, unknown>> {
    return key in this.object ? this.fields(key).object : {};
  }

  has(key: string): boolean {
    return key in this.object;
  }

  integer(key: string, min: number, max: number): number {
    return checkInteger(this.object[key], this.name(key), min, max);
  }

  /** A finite number, above zero: gains, scales, steps. */
  positive(key: string): number {
    const value = this.object[key];
    if (typeof value !== "number" || !Number.isFinite(value) || value <= 0) {
      return this.fail(key, "a finite number above 0");
    }
    return value;
  }

  text(key: string): string {
    const value = this.object[key];
    if (typeof value !== "string" || value.length === 0 || value.length > 64) {
      return this.fail(key, "a text of 1..64 characters");
    }
    return value;
  }

  oneOf<T extends string>(key: string, options: readonly T[]): T {
    const value = this.object[key];
    const found = options.find((option) => option === value);
    return found ?? this.fail(key, options.map((option) => JSON.stringify(option)).join(" or "));
  }

  numbers(key: string, min: number, max: number): readonly number[] {
    const list = this.list(key, min, max);
    if (!list.every(Number.isFinite)) return this.fail(key, "finite numbers");
    return list as number[];
  }

  /** Any number of integers. */
  integers(key: string, min: number, max: number): readonly number[] {
    return this.list(key, 1, LIST_MAX).map((value, i) =>
      checkInteger(value, `${this.name(key)}[${i}]`, min, max),
    );
  }

  /** A pair of integers: [height, width]. */
  pair(key: string, min: number, max: number): readonly [number, number] {
    const list = this.list(key, 2, 2);
    const [first, second] = list.map((value, i) =>
      checkInteger(value, `${this.name(key)}[${i}]`, min, max),
    ) as [number, number];
    return [first, second];
  }

  /** Each element of a list of objects, read by `read`. */
  each<T>(key: string, min: number, max: number, read: (fields: Fields) => T): readonly T[] {
    return this.list(key, min, max).map((value, i) =>
      read(new Fields(value, `${this.name(key)}[${i}]`)),
    );
  }

  /** @throws WeightsError always: `path.key: expected ..., got ...` */
  fail(key: string, expected: string): never {
    throw new WeightsError(
      `${this.name(key)}: expected ${expected}, got ${describe(this.object[key])}`,
    );
  }

  private list(key: string, min: number, max: number): unknown[] {
    const value = this.object[key];
    if (!Array.isArray(value) || value.length < min || value.length > max) {
      return this.fail(key, `a list of ${min === max ? min : `${min}..${max}`}`);
    }
    return value;
  }

  private name(key: string): string {
    return `${this.path}.${key}`;
  }
}

function checkInteger(value: unknown, name: string, min: number, max: number): number {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    throw new WeightsError(
      `${name}: expected an integer in ${min}..${max}, got ${describe(value)}`,
    );
  }
  return value as number;
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = Array.isArray(value) ? `a list of ${value.length}` : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
