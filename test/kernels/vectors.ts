/** Reads the golden vectors that train/kernel_vectors.py wrote. */
import { readFileSync } from "node:fs";
import type { NumericArray } from "./platform.ts";

const CONSTRUCTORS = {
  I8: Int8Array,
  I16: Int16Array,
  I32: Int32Array,
  U32: Uint32Array,
  F32: Float32Array,
} as const;

interface TensorEntry {
  readonly dtype: keyof typeof CONSTRUCTORS;
  readonly data_offsets: readonly [number, number];
}

/** One case: its scalar arguments and its tensors by name. */
export interface VectorCase<Args> {
  readonly args: Args & { readonly name: string };
  tensor<T extends NumericArray>(name: string): T;
}

/** Cases of one kernel family, in file order. */
export function readVectors<Args>(family: string): VectorCase<Args>[] {
  const url = new URL(`../vectors/kernels/${family}.safetensors`, import.meta.url);
  const file = readFileSync(url);
  const headerBytes = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString("utf8", 8, 8 + headerBytes));
  const cases = JSON.parse(header.__metadata__.cases) as (Args & { name: string })[];
  return cases.map((args) => ({
    args,
    tensor<T extends NumericArray>(name: string): T {
      const entry = header[`${args.name}/${name}`] as TensorEntry;
      const [start, end] = entry.data_offsets.map((offset) => offset + 8 + headerBytes);
      const bytes = new Uint8Array(file.subarray(start, end)); // a copy, so aligned
      return new CONSTRUCTORS[entry.dtype](bytes.buffer) as NumericArray as T;
    },
  }));
}
