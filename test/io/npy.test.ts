import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  decodeNpy,
  encodeNpy,
  NpyError,
  type NpyErrorCode,
  NpyRecords,
  npyHeader,
  readNpy,
  seismicExpectation,
  velocityExpectation,
  writeNpy,
} from "../../src/io/npy.ts";

const small = seismicExpectation({ shots: 2, samples: 3, receivers: 4 });
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "epic-npy-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("decodeNpy", () => {
  it("reads what numpy 1.26 writes for np.arange(6, dtype='<f4').reshape(2, 3)", () => {
    const text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    const bytes = Buffer.concat([
      Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 0x76, 0]),
      Buffer.from(`${text.padEnd(117)}\n`),
      Buffer.from(new Float32Array([0, 1, 2, 3, 4, 5]).buffer),
    ]);
    expect(decodeNpy(bytes)).toEqual({
      shape: [2, 3],
      data: new Float32Array([0, 1, 2, 3, 4, 5]),
    });
  });

  it("reads versions 2 and 3, whose header length has 32 bits, and keys in any order", () => {
    for (const version of [2, 3]) {
      const bytes = makeNpy("{'shape': (1,), 'fortran_order': False, 'descr': '<f4'}", 4, version);
      expect(decodeNpy(bytes).shape).toEqual([1]);
    }
  });

  it("reads a scalar and an empty array", () => {
    expect(decodeNpy(encodeNpy([], new Float32Array([7])))).toEqual({
      shape: [],
      data: new Float32Array([7]),
    });
    expect(decodeNpy(encodeNpy([0, 3], new Float32Array(0))).shape).toEqual([0, 3]);
  });

  it("accepts each of the expected shapes", () => {
    const maps = velocityExpectation([2, 2]);
    for (const shape of [
      [3, 1, 2, 2],
      [3, 2, 2],
      [2, 2],
    ]) {
      const count = shape.reduce((product, length) => product * length, 1);
      expect(decodeNpy(encodeNpy(shape, new Float32Array(count)), maps).shape).toEqual(shape);
    }
  });

  const header = (descr: string, order = "False", shape = "(2,)") =>
    `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const faults: [name: string, bytes: Uint8Array, code: NpyErrorCode, text: RegExp][] = [
    ["an empty file", new Uint8Array(), "empty", /got an empty file/],
    ["a zip archive", Buffer.from("PK\x03\x04 and more"), "magic", /got 50 4b 03 04/],
    ["a lone magic", npyHeader([1]).subarray(0, 6), "version", /got 0\.0/],
    ["version 4", makeNpy(header("'<f4'"), 8, 4), "version", /got 4\.0/],
    ["a cut preamble", npyHeader([1]).subarray(0, 8), "header", /expected 10 bytes/],
    ["a cut header", npyHeader([1]).subarray(0, 40), "header", /got 40/],
    ["a header of 4 GB", hugeHeader(), "header", /at most 65536 bytes, got one of 4294967295/],
    ["float16", makeNpy(header("'<f2'"), 4), "dtype", /got float16 \('<f2'\)/],
    ["int16", makeNpy(header("'<i2'"), 4), "dtype", /got int16/],
    ["big-endian int32", makeNpy(header("'>i4'"), 8), "dtype", /int32, big-endian \('>i4'\)/],
    ["a structure", makeNpy(header("[('a', '<f4')]"), 8), "dtype", /got a structured type/],
    ["an object", makeNpy(header("'|O'"), 8), "dtype", /got "'\|O'"/],
    ["no order", makeNpy(header("'<f4'", "None"), 8), "header", /got/],
    ["float64 cut short", makeNpy(header("'<f8'"), 8), "length", /expected 16 .* got 8/],
    ["no dictionary", makeNpy("import os", 8), "header", /got "import os"/],
    ["a doubled key", makeNpy(`{'descr': '<f4', ${header("'<f4'").slice(1)}`, 8), "header", /got/],
    ["a missing key", makeNpy("{'descr': '<f4'}", 8), "header", /got/],
    ["a bare number", makeNpy(header("'<f4'", "False", "(2)"), 8), "shape", /got "\(2\)"/],
    ["a negative length", makeNpy(header("'<f4'", "False", "(-2,)"), 8), "shape", /-2/],
    [
      "2^60 values",
      makeNpy(header("'<f4'", "False", `(${2 ** 30}, ${2 ** 30})`), 8),
      "shape",
      /fits/,
    ],
    [
      "data cut short",
      makeNpy(header("'<f4'"), 7),
      "length",
      /expected 8 .* got 7: the file is cut/,
    ],
    ["extra bytes", makeNpy(header("'<f4'"), 9), "length", /got 9: extra bytes/],
  ];
  it.each(faults)("refuses %s", (_, bytes, code, text) => {
    const error = caught(() => decodeNpy(bytes));
    expect(error).toBeInstanceOf(NpyError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(text) });
    expect((error as Error).message).not.toContain("\n");
  });

  it("refuses a shape that was not expected, and no records", () => {
    const shape = (lengths: number[]) => {
      const count = lengths.reduce((product, length) => product * length, 1);
      return caught(() => decodeNpy(encodeNpy(lengths, new Float32Array(count)), small));
    };
    expect(shape([1, 2, 3, 5])).toMatchObject({
      code: "shape",
      message: "seismic data: expected shape (N, 2, 3, 4), got (1, 2, 3, 5)",
    });
    expect(shape([2, 3, 4])).toMatchObject({ code: "shape" });
    expect(shape([0, 2, 3, 4])).toMatchObject({ code: "shape" });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "names the place of %s",
    (value) => {
      const data = new Float32Array(2 * 24);
      data[24 + 12 + 2 * 4 + 3] = value;
      expect(caught(() => decodeNpy(encodeNpy([2, 2, 3, 4], data), small))).toMatchObject({
        code: "value",
        message: `expected finite values, got ${value} at record 1, shot 1, sample 2, receiver 3`,
      });
      expect(caught(() => decodeNpy(encodeNpy([48], data)))).toMatchObject({
        message: `expected finite values, got ${value} at index (47,)`,
      });
    },
  );

  it("reads float64, big-endian and Fortran order as numpy writes them", async () => {
    const expected = Float32Array.from({ length: 48 }, (_, i) => i / 8);
    for (const name of ["fortran", "big-endian", "float64"]) {
      const path = fileURLToPath(new URL(`../vectors/npz/${name}.npy`, import.meta.url));
      expect(decodeNpy(await readFile(path), small)).toEqual({
        shape: [2, 2, 3, 4],
        data: expected,
      });
      expect(await readNpy(path, small)).toEqual({ shape: [2, 2, 3, 4], data: expected });
      const records = await NpyRecords.open(path, small);
      expect(records.conversions).toHaveLength(1);
      expect(await records.read(1)).toEqual(expected.subarray(24));
      await records.close();
    }
  });

  it("names the place of a float64 that float32 cannot hold, and of NaN in Fortran order", () => {
    const text = "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }";
    const bytes = makeNpy(text, 6 * 8);
    const values = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 48);
    values.setFloat64(3 * 8, 4e38, true);
    const place = "index (1, 1)"; // Fortran order: (0,0) (1,0) (0,1) (1,1)
    expect(caught(() => decodeNpy(bytes))).toMatchObject({
      code: "value",
      message: expect.stringContaining("got 4e+38 at index (1, 1)"),
    });
    values.setFloat64(3 * 8, Number.NaN, true);
    expect(caught(() => decodeNpy(bytes))).toMatchObject({
      message: `expected finite values, got NaN at ${place}`,
    });
  });

  it("keeps subnormals and the largest finite value", () => {
    const data = new Float32Array([1e-45, -3.4028234663852886e38, -0]);
    expect(decodeNpy(encodeNpy([3], data)).data).toEqual(data);
  });

  it("answers random bytes with NpyError and nothing else", () => {
    const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0];
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }).map((tail) => Uint8Array.from([...magic, ...tail])),
      fc
        .string({ maxLength: 100 })
        .map((text) => makeNpy(`{'descr': '<f4', 'fortran_order': False, 'shape': ${text}}`, 4)),
    );
    fc.assert(
      fc.property(bytes, (file) => {
        const error = caught(() => decodeNpy(file));
        return error === undefined || error instanceof NpyError;
      }),
    );
  });

  it("gives back what encodeNpy wrote", () => {
    const arrays = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }).chain((shape) => {
      const length = shape.reduce((product, size) => product * size, 1);
      return fc.record({
        shape: fc.constant(shape),
        data: fc.float32Array({
          minLength: length,
          maxLength: length,
          noNaN: true,
          noDefaultInfinity: true,
        }),
      });
    });
    fc.assert(
      fc.property(arrays, ({ shape, data }) => {
        const file = encodeNpy(shape, data);
        expect((file.length - data.byteLength) % 64).toBe(0);
        expect(decodeNpy(file)).toEqual({ shape, data });
      }),
    );
  });

  it("refuses to write data that does not fill the shape", () => {
    expect(() => encodeNpy([2, 3], new Float32Array(5))).toThrow(
      "npy data: expected 6 values for shape (2, 3), got 5",
    );
  });
});

describe("files", () => {
  it("reads a file record by record", async () => {
    const path = join(folder, "data.npy");
    const data = Float32Array.from({ length: 3 * 24 }, (_, i) => i);
    await writeNpy(path, [3, 2, 3, 4], data);
    const records = await NpyRecords.open(path, small);
    expect(records).toMatchObject({ count: 3, recordLength: 24, shape: [3, 2, 3, 4] });
    expect(await records.read(2)).toEqual(data.subarray(48));
    const own = new Float32Array(24);
    expect(await records.read(1, own)).toBe(own);
    expect(own).toEqual(data.subarray(24, 48));
    await expect(records.read(3)).rejects.toThrow("record: expected 0 to 2, got 3");
    await expect(records.read(0, new Float32Array(5))).rejects.toThrow("out: expected 24 values");
    await records.close();
    expect(await readNpy(path)).toEqual({ shape: [3, 2, 3, 4], data });
    expect(await readNpy(await readFile(path), small)).toEqual({ shape: [3, 2, 3, 4], data });
  });

  it("takes a lone map as one record", async () => {
    const path = join(folder, "map.npy");
    await writeNpy(path, [2, 2], new Float32Array([1, 2, 3, 4]));
    const records = await NpyRecords.open(path, velocityExpectation([2, 2]));
    expect(records.count).toBe(1);
    expect(await records.read(0)).toEqual(new Float32Array([1, 2, 3, 4]));
    await records.close();
  });

  it("puts the path before what is wrong, and the place in the whole file", async () => {
    const path = join(folder, "bad.npy");
    const data = new Float32Array(48);
    data[30] = Number.NaN;
    await writeFile(path, encodeNpy([2, 2, 3, 4], data));
    const records = await NpyRecords.open(path, small);
    await expect(records.read(1)).rejects.toThrow(
      `${path}: expected finite values, got NaN at record 1, shot 0, sample 1, receiver 2`,
    );
    await records.close();
    await writeFile(path, new Uint8Array());
    await expect(NpyRecords.open(path)).rejects.toThrow(
      `${path}: expected an npy file, got an empty`,
    );
    await expect(NpyRecords.open(folder)).rejects.toThrow("got a folder");
    await expect(NpyRecords.open(join(folder, "none.npy"))).rejects.toThrow("ENOENT");
  });

  it("leaves nothing when it cannot write", async () => {
    const before = await readdir(folder);
    await expect(writeNpy(join(folder, "x.npy"), [2], new Float32Array(3))).rejects.toThrow(
      RangeError,
    );
    await expect(writeNpy(join(folder, "no/x.npy"), [1], new Float32Array(1))).rejects.toThrow();
    expect(await readdir(folder)).toEqual(before);
  });
});

/** An npy file with any header text and `dataBytes` zero bytes. */
function makeNpy(text: string, dataBytes: number, version = 1): Uint8Array {
  const header = Buffer.from(`${text}\n`);
  const wide = version !== 1;
  const preamble = Buffer.alloc(wide ? 12 : 10);
  preamble.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  if (wide) preamble.writeUInt32LE(header.length, 8);
  else preamble.writeUInt16LE(header.length, 8);
  return Buffer.concat([preamble, header, Buffer.alloc(dataBytes)]);
}

function hugeHeader(): Uint8Array {
  const bytes = makeNpy("{}", 0, 2);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(8, 0xffffffff, true);
  return bytes;
}

function caught(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}
