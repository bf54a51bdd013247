/** A tensor to be written, in the order of its shape. */
export interface RawTensor {
  readonly shape: readonly number[];
  readonly data: Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Float32Array;
}

const DTYPES = {
  Int8Array: "I8",
  Uint8Array: "U8",
  Int16Array: "I16",
  Uint16Array: "U16",
  Int32Array: "I32",
  Float32Array: "F32",
};

/** A safetensors file of the given tensors, in their order. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, RawTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    const dtype = DTYPES[data.constructor.name as keyof typeof DTYPES];
    const end = offset + data.byteLength;
    header[name] = { dtype, shape, data_offsets: [offset, end] };
    offset = end;
  }
  return joinFile(JSON.stringify(header), [...tensors.values()].map(bytesOf));
}

/** A file of this header text and these bytes, whether or not they fit each other. */
export function joinFile(header: string, chunks: readonly Uint8Array[]): Uint8Array {
  const text = new TextEncoder().encode(header);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return Uint8Array.from([length, text, ...chunks].flatMap((part) => [...part]));
}

function bytesOf({ data }: RawTensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
