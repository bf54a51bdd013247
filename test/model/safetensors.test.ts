import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readSafetensors } from "../../src/model/safetensors.ts";
import { WeightsError } from "../../src/model/weightsError.ts";
import { joinFile, type RawTensor, writeSafetensors } from "../library/writeSafetensors.ts";

const tensors = new Map<string, RawTensor>([
  ["a", { shape: [2, 3], data: Int8Array.of(1, -2, 3, -4, 5, -128) }],
  ["odd", { shape: [1], data: Int8Array.of(7) }],
  ["b", { shape: [2], data: Float32Array.of(1.5, -0) }],
  ["c", { shape: [], data: Int32Array.of(-70000) }],
  ["empty", { shape: [0, 4], data: new Int16Array(0) }],
  ["d", { shape: [2], data: Int16Array.of(-2047, 2047) }],
]);
const file = writeSafetensors(tensors, { format: "epic-edge" });

/** A file with one I8 tensor of four bytes, its header entry and data altered as the case says. */
function oneTensor(entry: Record<string, unknown>, data = new Uint8Array(4)): Uint8Array {
  const whole = { dtype: "I8", shape: [4], data_offsets: [0, 4], ...entry };
  return joinFile(JSON.stringify({ t: whole }), [data]);
}

function errorOf(bytes: Uint8Array): WeightsError {
  try {
    readSafetensors(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(WeightsError);
    return error as WeightsError;
  }
  throw new Error("expected a WeightsError, got none");
}

describe("readSafetensors", () => {
  it("reads back every dtype, shape and value, aligned or not", () => {
    const read = readSafetensors(file);
    expect(read.metadata.get("format")).toBe("epic-edge");
    expect([...read.tensors.keys()]).toEqual([...tensors.keys()]);
    for (const [name, { shape, data }] of tensors) {
      const tensor = read.tensors.get(name)!;
      expect(tensor.shape).toEqual(shape);
      expect(tensor.data).toEqual(data);
    }
  });

  it.each([
    [0, "views of the file's bytes where they are aligned"],
    [1, "copies where they are not"],
  ])("gives, at an offset of %i, %s", (offset) => {
    const buffer = new Uint8Array(file.length + offset).subarray(offset);
    buffer.set(file);
    const { data, byteOffset } = readSafetensors(buffer).tensors.get("d")!;
    expect(data).toEqual(Int16Array.of(-2047, 2047));
    const isAligned = (buffer.byteOffset + byteOffset) % data.BYTES_PER_ELEMENT === 0;
    expect(data.buffer === buffer.buffer).toBe(isAligned);
    expect(isAligned).toBe(offset === 0);
  });

  it("copies what lies in shared memory, which others may change", () => {
    const shared = new Uint8Array(new SharedArrayBuffer(file.length));
    shared.set(file);
    const { data } = readSafetensors(shared).tensors.get("d")!;
    shared.fill(0);
    expect(data).toEqual(Int16Array.of(-2047, 2047));
  });

  it("takes a padded header, as writers that align the data make it", () => {
    const header = `${JSON.stringify({ t: { dtype: "I8", shape: [4], data_offsets: [0, 4] } })}   `;
    const read = readSafetensors(joinFile(header, [Uint8Array.of(1, 2, 3, 4)]));
    expect(read.tensors.get("t")!.data).toEqual(Int8Array.of(1, 2, 3, 4));
    expect(read.tensors.get("t")!.byteOffset).toBe(8 + header.length);
  });

  it("refuses every truncation", () => {
    for (let length = 0; length < file.length; length++) {
      expect(errorOf(file.subarray(0, length)).byteOffset).toBeLessThanOrEqual(length);
    }
  });

  it("refuses surplus bytes and says where they start", () => {
    const error = errorOf(Uint8Array.from([...file, 0]));
    expect(error.byteOffset).toBe(file.length);
    expect(error.message).toMatch(
      /^safetensors: expected \d+ data bytes, got \d+ \(at byte \d+\)$/,
    );
  });

  it("caps the header before reading it", () => {
    const huge = file.slice();
    new DataView(huge.buffer).setBigUint64(0, 2n ** 63n, true);
    expect(errorOf(huge).message).toContain("got a length of 9223372036854775808");
    const large = joinFile(`{"pad":"${"x".repeat(1 << 20)}"}`, []);
    expect(errorOf(large).message).toContain("expected a header of 2..1048576 bytes");
  });

  it.each([
    ["no JSON", "{nonsense"],
    ["no object", "[1, 2]"],
    ["JSON that starts with a space", " {}"],
    ["a number for a tensor", '{"t": 4}'],
    ["a null", "null"],
  ])("refuses a header of %s", (_, header) => {
    expect(errorOf(joinFile(header, [])).byteOffset).toBe(8);
  });

  it("refuses text that is not UTF-8", () => {
    const bytes = joinFile('{"t":"."}', []);
    bytes[8 + 6] = 0xff;
    expect(errorOf(bytes).message).toContain("expected JSON in UTF-8");
  });

  it.each([
    ["an unknown dtype", { dtype: "F64" }, /expected dtype I8, U8, I16, U16, I32, F32, got "F64"/],
    ["a dtype of Object.prototype", { dtype: "toString" }, /expected dtype/],
    ["a shape that is no list", { shape: 4 }, /expected a shape of non-negative integers/],
    ["a negative size", { shape: [-4] }, /expected a shape of non-negative integers/],
    ["a fraction", { shape: [0.5, 8] }, /expected a shape of non-negative integers/],
    ["a size beyond all numbers", { shape: [2 ** 52, 2 ** 52] }, /expected \d.* bytes/],
    ["one offset", { data_offsets: [0] }, /expected two data offsets/],
    [
      "too few bytes for its shape",
      { data_offsets: [0, 3] },
      /expected 4 bytes \(I8 \[4\]\), got 3/,
    ],
    ["too few bytes for its dtype", { dtype: "F32" }, /expected 16 bytes \(F32 \[4\]\), got 4/],
    ["an end before its start", { data_offsets: [4, 0] }, /expected 4 bytes/],
    ["a gap before it", { data_offsets: [1, 5] }, /expected to start at data byte 0, got 1/],
  ])("refuses %s", (_, entry, message) => {
    expect(errorOf(oneTensor(entry)).message).toMatch(message);
  });

  it("refuses overlaps", () => {
    const entry = (begin: number) => ({
      dtype: "I8",
      shape: [4],
      data_offsets: [begin, begin + 4],
    });
    const header = JSON.stringify({ a: entry(0), b: entry(2) });
    expect(errorOf(joinFile(header, [new Uint8Array(6)])).message).toContain(
      'tensor "b": expected to start at data byte 4, got 2',
    );
  });

  it("refuses a range beyond the file", () => {
    const error = errorOf(oneTensor({}, new Uint8Array(3)));
    expect(error.message).toContain("expected to end within 3 data bytes, got 4");
  });

  it("refuses a key that stands twice, also when one is escaped", () => {
    const entry = '{"dtype":"I8","shape":[0],"data_offsets":[0,0]}';
    expect(errorOf(joinFile(`{"a":${entry},"\\u0061":${entry}}`, [])).message).toContain(
      'key "a" stands twice',
    );
    const twice = '{"dtype":"I8","shape":[0],"shape":[0],"data_offsets":[0,0]}';
    expect(errorOf(joinFile(`{"a":${twice}}`, [])).message).toContain('key "shape" stands twice');
    const text = '{"__metadata__":{"a":"{\\"a\\":1,\\"a\\":2}"}}';
    expect(readSafetensors(joinFile(text, [])).metadata.size).toBe(1);
  });

  it("refuses metadata that is not text", () => {
    expect(errorOf(joinFile('{"__metadata__":{"a":1}}', [])).message).toContain(
      'expected a string for "a", got number',
    );
    expect(errorOf(joinFile('{"__metadata__":[]}', [])).message).toContain("expected an object");
  });
});

describe("readSafetensors on random input", () => {
  it("throws nothing but WeightsError on random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => readsOrRefuses(bytes)),
      { numRuns: 500 },
    );
  });

  it("throws nothing but WeightsError on random JSON headers", () => {
    const entry = fc.record(
      { dtype: fc.constantFrom("I8", "F32", "x"), shape: fc.json(), data_offsets: fc.json() },
      { requiredKeys: [] },
    );
    const header = fc.oneof(fc.json(), fc.dictionary(fc.string(), entry).map(JSON.stringify));
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 20 }), (text, data) =>
        readsOrRefuses(joinFile(text as string, [data])),
      ),
      { numRuns: 500 },
    );
  });

  it("throws nothing but WeightsError on a file with altered bytes", () => {
    const change = fc.tuple(fc.nat(file.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = file.slice();
        for (const [at, value] of changes) bytes[at] = value;
        readsOrRefuses(bytes);
      }),
      { numRuns: 1000 },
    );
  });
});

function readsOrRefuses(bytes: Uint8Array): void {
  try {
    readSafetensors(bytes);
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
  }
}
