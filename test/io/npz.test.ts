/** Archives that numpy made (test/vectors/npz/make.py), our own, and damaged ones. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { crc32 } from "../../src/engine/crc32.ts";
import { MemorySource } from "../../src/io/byteSource.ts";
import { encodeNpy, NpyError, seismicExpectation, velocityExpectation } from "../../src/io/npy.ts";
import { encodeNpz, npzNames, openNpz } from "../../src/io/npz.ts";
import { openRecords, splitArrayName } from "../../src/io/records.ts";
import { openZipEntry, readZipEntries, ZipError } from "../../src/io/zip.ts";

const vectors = fileURLToPath(new URL("../vectors/npz/", import.meta.url));
const seismic = seismicExpectation({ shots: 2, samples: 3, receivers: 4 });
const maps = velocityExpectation([2, 2]);
const second = Float32Array.from({ length: 24 }, (_, i) => (24 + i) / 8);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "epic-npz-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("archives of numpy", () => {
  it.each(["stored.npz", "deflated.npz"])("%s: the array whose shape is expected", async (name) => {
    expect(await npzNames(join(vectors, name))).toEqual(["data", "model"]);
    const data = await openRecords(join(vectors, name), seismic);
    expect(data).toMatchObject({ shape: [2, 2, 3, 4], count: 2, conversions: [] });
    expect(await data.read(1)).toEqual(second);
    await data.close();
    const model = await openRecords(join(vectors, name), maps);
    expect((await model.read(0))[0]).toBe(1500);
    await model.close();
  });

  it("the array that is named", async () => {
    const path = `${join(vectors, "deflated.npz")}:model`;
    const model = await openRecords(path);
    expect(model.shape).toEqual([2, 1, 2, 2]);
    await model.close();
    await expect(openRecords(path, seismic)).rejects.toThrow(
      "deflated.npz: seismic data: expected shape (N, 2, 3, 4), got (2, 1, 2, 2)",
    );
    await expect(openRecords(`${join(vectors, "stored.npz")}:dada`)).rejects.toThrow(
      "stored.npz: expected an array dada, got data, model",
    );
    await expect(openRecords(join(vectors, "stored.npz"))).rejects.toThrow(
      /expected one array, or its name as in FILE\.npz:NAME, got data, model/,
    );
  });

  it("the only one, float64, big-endian and in Fortran order at once", async () => {
    const only = await openRecords(join(vectors, "only.npz"), seismic);
    expect(only.conversions).toEqual(["float64", "big-endian", "Fortran order"]);
    expect(await only.read(1)).toEqual(second);
    await only.close();
  });
});

describe("archives of our own", () => {
  it("hold what was put in, whatever the numbers", async () => {
    const path = join(folder, "own.npz");
    const data = Float32Array.of(1, -0, 1e-45, 3e38);
    const archive = encodeNpz({
      data: { shape: [4], data },
      "a b": { shape: [1, 1], data: second.slice(0, 1) },
    });
    await writeFile(path, Buffer.concat([...archive]));
    expect(await npzNames(path)).toEqual(["data", "a b"]);
    const file = await openRecords(`${path}:data`);
    expect(await file.read(3)).toEqual(Float32Array.of(3e38));
    expect(await file.read(1)).toEqual(Float32Array.of(-0));
    await file.close();
  });
});

describe("damage", () => {
  it("a changed byte is found by the checksum", async () => {
    const bytes = await readFile(join(vectors, "deflated.npz"));
    let found = 0;
    for (let at = 60; at < 160; at += 7) {
      const bad = Buffer.from(bytes);
      bad[at]! ^= 0x10;
      await writeFile(join(folder, "bad.npz"), bad);
      const opened = openNpz(join(folder, "bad.npz"), "data", seismic);
      const error = await opened.then(
        (file) => file.close(),
        (refusal: unknown) => refusal,
      );
      if (error === undefined) continue; // a field that nobody reads, such as the local header's
      expect(error).toBeInstanceOf(NpyError);
      found++;
    }
    expect(found).toBeGreaterThan(8);
  });

  it("a cut archive, an empty one, one without arrays", async () => {
    const bytes = await readFile(join(vectors, "stored.npz"));
    await writeFile(join(folder, "bad.npz"), bytes.subarray(0, 400));
    await expect(openRecords(join(folder, "bad.npz"))).rejects.toThrow(
      /bad\.npz: .*got no end record/,
    );
    await writeFile(join(folder, "bad.npz"), zip([{ name: "x.txt", bytes: Buffer.from("x") }]));
    await expect(openRecords(join(folder, "bad.npz"))).rejects.toThrow(
      "expected npy arrays, got none",
    );
  });

  it("an array twice, an encrypted one, a method of its own", async () => {
    const array = { name: "a.npy", bytes: encodeNpy([1], Float32Array.of(1)) };
    await writeFile(join(folder, "bad.npz"), zip([array, array]));
    await expect(openRecords(join(folder, "bad.npz"))).rejects.toThrow(
      "expected one array a, got two",
    );
    await writeFile(join(folder, "bad.npz"), zip([{ ...array, flags: 1 }]));
    await expect(openRecords(join(folder, "bad.npz"))).rejects.toThrow("got encrypted data");
    await writeFile(join(folder, "bad.npz"), zip([{ ...array, method: 12 }]));
    await expect(openRecords(join(folder, "bad.npz"))).rejects.toThrow(
      "expected method 0 or 8 (deflate), got 12",
    );
  });
});

describe("bombs", () => {
  const opened = async (archive: Uint8Array, bytesMax = 1 << 20) => {
    const source = new MemorySource(archive);
    const [entry] = await readZipEntries(source);
    return openZipEntry(source, entry!, { bytesMax, peekBytes: 64, peek: () => {} });
  };

  it("more than is allowed is refused before anything is inflated", async () => {
    const packed = deflateRawSync(Buffer.alloc(3 << 20));
    const bomb = zip([{ name: "a.npy", bytes: packed, method: 8, size: 3 << 20 }]);
    await expect(opened(bomb)).rejects.toThrow(/expected at most 1048576 bytes, got 3145728/);
  });

  it("more than the entry claims is refused", async () => {
    const bytes = Buffer.alloc(3 << 20);
    const bomb = zip([{ name: "a.npy", bytes: deflateRawSync(bytes), method: 8, size: 5000 }]);
    await expect(opened(bomb)).rejects.toThrow("a.npy: expected 5000 bytes of data, got more");
  });

  it("a claim that deflate cannot keep is refused", async () => {
    const bomb = zip([{ name: "a.npy", bytes: Buffer.from([3, 0]), method: 8, size: 2 ** 31 - 1 }]);
    await expect(opened(bomb, 2 ** 31)).rejects.toThrow(
      "expected at most 2128 bytes, got 2147483647",
    );
  });

  it("an array of another shape is refused before it is inflated", async () => {
    const array = encodeNpy([5, 5], new Float32Array(25));
    const bomb = zip([
      { name: "a.npy", bytes: deflateRawSync(array), method: 8, size: array.length, crc: 7 },
    ]);
    await writeFile(join(folder, "bad.npz"), bomb);
    await expect(openRecords(join(folder, "bad.npz"), seismic)).rejects.toThrow(/got \(5, 5\)/);
    await expect(openRecords(join(folder, "bad.npz"))).rejects.toThrow(/expected CRC-32 7, got/);
  });
});

it("any bytes are read or refused with ZipError, and nothing else", async () => {
  const archive = Buffer.concat([...encodeNpz({ a: { shape: [2], data: Float32Array.of(1, 2) } })]);
  const altered = fc
    .array(fc.tuple(fc.nat(archive.length - 1), fc.nat(255)), { maxLength: 6 })
    .map((edits) => {
      const bytes = Uint8Array.from(archive);
      for (const [at, value] of edits) bytes[at] = value;
      return bytes;
    });
  const cut = fc.nat(archive.length).map((length) => Uint8Array.from(archive.subarray(0, length)));
  const random = fc.uint8Array({ maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(fc.oneof(altered, cut, random), async (bytes) => {
      const source = new MemorySource(bytes);
      try {
        for (const entry of await readZipEntries(source)) {
          await openZipEntry(source, entry, { bytesMax: 1 << 16, peekBytes: 64, peek: () => {} });
        }
      } catch (error) {
        expect(error).toBeInstanceOf(ZipError);
      }
    }),
    { numRuns: 500 },
  );
});

it("an array's name stands behind the archive's", () => {
  expect(splitArrayName("a/b.npz:data")).toEqual({ file: "a/b.npz", array: "data" });
  expect(splitArrayName("a.NPZ:x:y")).toEqual({ file: "a.NPZ", array: "x:y" });
  for (const path of ["a.npz", "a.npz:", "C:\\a.npz", "b.npz:c/d.npy", "x.npy:data"]) {
    expect(splitArrayName(path)).toEqual({ file: path, array: undefined });
  }
});

interface Member {
  name: string;
  bytes: Uint8Array;
  method?: number;
  flags?: number;
  size?: number;
  crc?: number;
}

/** An archive with any fields, right or wrong. */
function zip(members: readonly Member[]): Uint8Array {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes, method = 0, flags = 0, size, crc } of members) {
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(flags, 2);
    fields.writeUInt16LE(method, 4);
    fields.writeUInt32LE(crc ?? crc32(bytes), 10);
    fields.writeUInt32LE(bytes.length, 14);
    fields.writeUInt32LE(size ?? bytes.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([Buffer.from("PK\x01\x02\x14\0"), fields, place, Buffer.from(name)]),
    );
    locals.push(Buffer.concat([Buffer.from("PK\x03\x04"), fields, Buffer.from(name), bytes]));
    offset += locals.at(-1)!.length;
  }
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, ...directory, end]);
}
