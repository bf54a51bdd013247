/** SEG-Y: files of segyio and ObsPy (test/vectors/segy/make.py), our own read back, damaged ones. */
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MemorySource } from "../../src/io/byteSource.ts";
import { lineSteps } from "../../src/io/lineSteps.ts";
import { readNpy, seismicExpectation, velocityExpectation } from "../../src/io/npy.ts";
import { openRecords } from "../../src/io/records.ts";
import { SegyError, type SegyGeometry, SegyRecords, writeSegy } from "../../src/io/segy.ts";
import { encodeIbm, sampleFormats } from "../../src/io/segySamples.ts";
import { decodeTextHeader, encodeTextHeader } from "../../src/io/segyText.ts";

const vectors = fileURLToPath(new URL("../vectors/segy/", import.meta.url));
const survey = { shots: 3, samples: 5, receivers: 4, dtMs: 2, dxM: 10, map: [5, 4] as const };
const seismic = seismicExpectation(survey, lineSteps(survey));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "epic-segy-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** The record that make.py puts into every file: [shot][sample][receiver]. */
function expectedRecord(record: number, scale: number): Float32Array {
  return Float32Array.from({ length: 60 }, (_, i) => {
    const [shot, sample, receiver] = [Math.floor(i / 20), Math.floor(i / 4) % 5, i % 4];
    return (record * 64 + shot * 16 + receiver * 4 + sample - 60) * scale;
  });
}

describe("files of other programs", () => {
  const files: [name: string, scale: number, conversions: string[]][] = [
    ["segyio-ibm.sgy", 0.125, ["IBM float"]],
    ["segyio-ieee.sgy", 0.125, []],
    ["segyio-int16.sgy", 1, ["int16"]],
    ["segyio-int8.sgy", 1, ["int8", "1 auxiliary traces left out"]],
    ["obspy-ibm.sgy", 1, ["IBM float"]],
    ["obspy-ieee.segy", 1, []],
    ["obspy-int16.sgy", 1, ["int16"]],
  ];
  it.each(files)("%s", async (name, scale, conversions) => {
    for (const expectation of [seismic, undefined]) {
      const file = await openRecords(join(vectors, name), expectation);
      expect(file).toMatchObject({ shape: [2, 3, 5, 4], count: 2, conversions });
      for (const record of [1, 0]) {
        expect(await file.read(record)).toEqual(expectedRecord(record, scale));
      }
      await file.close();
    }
  });

  it("IBM floats over sixty powers of ten, as segyio reads them", async () => {
    const { data } = await readNpy(join(vectors, "segyio-ibm-random.npy"));
    const file = await SegyRecords.open(join(vectors, "segyio-ibm-random.sgy"));
    expect(await file.read(0)).toEqual(data);
    await file.close();
  });

  it("a model without positions, by its column numbers", async () => {
    const file = await openRecords(
      join(vectors, "segyio-map.sgy"),
      velocityExpectation([5, 4], 10),
    );
    expect(file.shape).toEqual([1, 1, 5, 4]);
    expect(file.conversions).toEqual([
      "IBM float",
      "no column positions: trace numbers taken instead",
    ]);
    const expected = Float32Array.from(
      { length: 20 },
      (_, i) => 1500 + 100 * Math.floor(i / 4) + (i % 4),
    );
    expect(await file.read(0)).toEqual(expected);
    await file.close();
    await expect(openRecords(join(vectors, "segyio-map.sgy"), seismic)).rejects.toThrow(
      "expected a sample interval of 2 ms, got 10 ms",
    );
  });

  it("textual headers in EBCDIC and ASCII", async () => {
    const text = async (name: string) =>
      decodeTextHeader((await readFile(join(vectors, name))).subarray(0, 3200));
    const ebcdic = await text("segyio-ibm.sgy");
    expect(ebcdic.encoding).toBe("EBCDIC");
    expect(ebcdic.lines[0]).toBe("C 1 made by segyio, format 1");
    const ascii = await text("obspy-ieee.segy");
    expect(ascii.encoding).toBe("ASCII");
    expect(ascii.lines[0]).toMatch(/^C 1 made by ObsPy \d/);
  });
});

describe("the model's geometry", () => {
  const open = (changes: Partial<typeof survey>, name = "segyio-ieee.sgy") =>
    openRecords(
      join(vectors, name),
      seismicExpectation({ ...survey, ...changes }, lineSteps({ ...survey, ...changes })),
    );
  const cases: [changes: Partial<typeof survey>, text: RegExp][] = [
    [{ samples: 1000 }, /segyio-ieee\.sgy: seismic data: expected 1000 samples per trace, got 5/],
    [{ dtMs: 1 }, /expected a sample interval of 1 ms, got 2 ms/],
    [{ dxM: 12.5 }, /expected traces 1 and 2 12\.5 m apart, got 10 m from x 1000 m to 1010 m/],
    [{ receivers: 5 }, /shot of field record 1, source x 1000 m: expected 5 receivers, got 4/],
    [{ receivers: 3 }, /expected 3 receivers, got 1/],
    [{ shots: 4 }, /expected records of 4 shots each, got 6 shots/],
  ];
  it.each(cases)("refuses a file for %j", async (changes, text) => {
    const error = await open(changes).catch((refusal: unknown) => refusal);
    expect(error).toBeInstanceOf(SegyError);
    expect((error as Error).message).toMatch(text);
    expect((error as Error).message).not.toContain("\n");
  });

  it("refuses sources elsewhere than the model's, and receivers that move within a record", async () => {
    const outside = await segy({ sourcesM: [0, 15, 45] });
    await expect(over(outside)).rejects.toThrow(
      /source x 45 m: expected source 3 of the record at x 30 m/,
    );
    const bytes = await segy({});
    // Receiver x (bytes 81-84) of the second shot's first trace, in mm.
    new DataView(bytes.buffer).setInt32(3600 + 4 * 260 + 80, -5000);
    await expect(over(bytes)).rejects.toThrow(
      /shot of field record 2, .* expected receiver 1 as in the first shot of the record, at 0 m, got -5 m/,
    );
  });

  it("takes positions in feet, a device's own receivers, shots and receivers in any order", async () => {
    const feet = await segy({
      positionsM: [0, 10, 20, 30].map((x) => x / 0.3048),
      sourcesM: [0, 15, 30].map((x) => x / 0.3048),
    });
    new DataView(feet.buffer).setUint16(3254, 2);
    expect((await over(feet)).conversions).toEqual(["positions in feet"]);
    const own = await segy({ width: 2, positionsM: [20, 30], values: values(3 * 5 * 2) });
    const both = [survey, { ...survey, receivers: 2 }].flatMap(
      (each) => seismicExpectation(each).shapes,
    );
    const file = await SegyRecords.over(new MemorySource(own), "own.sgy", {
      ...seismic,
      steps: lineSteps(survey, { firstReceiver: 2, receivers: 2 }),
      shapes: both,
    });
    expect(file.shape).toEqual([1, 3, 5, 2]);
    expect(await file.read(0)).toEqual(values(30));
    const mixed = shuffled(await segy({}));
    expect(await (await over(mixed)).read(0)).toEqual(values(60));
  });

  it("takes trace numbers where positions are missing, and the file's order where both are", async () => {
    const bytes = await segy({ positionsM: [0, 0, 0, 0], sourcesM: [0, 0, 0] });
    const numbered = await over(bytes);
    expect(numbered.conversions).toEqual([
      "no receiver positions: trace numbers taken instead",
      "no source positions: the file's order taken instead",
    ]);
    expect(await numbered.read(0)).toEqual(values(60));
    const view = new DataView(bytes.buffer);
    for (let trace = 0; trace < 12; trace++) view.setInt32(3600 + trace * 260 + 12, 0);
    const bare = await over(bytes);
    expect(bare.conversions[0]).toBe("no receiver positions: the file's order taken instead");
    expect(await bare.read(0)).toEqual(values(60));
  });
});

describe("files of our own", () => {
  it("keep every bit as IEEE floats", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.float32Array({ minLength: 60, maxLength: 60, noNaN: true, noDefaultInfinity: true }),
        async (data) => {
          const file = await over(await segy({ values: data }));
          expect(await file.read(0)).toEqual(data);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("keep 21 bits as IBM floats", () => {
    const view = new DataView(new ArrayBuffer(4));
    const back = (value: number) => {
      view.setUint32(0, encodeIbm(value));
      return sampleFormats[1]!.decode(view, 0);
    };
    for (const exact of [0, 1, -1, 16, 1 / 16, 0.1875, -118.625, 2 ** 20 - 1, 1 - 2 ** -24]) {
      expect(back(exact)).toBe(exact);
    }
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Math.abs(back(value) - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -21);
      }),
    );
    // -118.625 = C276A000, the usual example of the format.
    expect(encodeIbm(-118.625)).toBe(0xc276a000);
  });

  it("hold velocity maps, one trace per column", async () => {
    const bytes = await segy({ kind: "maps", shots: 1, count: 3, step: 10, values: values(20) });
    const file = await SegyRecords.over(
      new MemorySource(bytes),
      "m.sgy",
      velocityExpectation([5, 4], 10),
    );
    expect(file).toMatchObject({ shape: [3, 1, 5, 4], conversions: [] });
    expect(await file.read(2)).toEqual(values(20));
    // Without a word of what to expect: source and receiver of a trace are one place.
    const guessed = await SegyRecords.over(new MemorySource(bytes), "m.sgy");
    expect(guessed.layout).toMatchObject({ kind: "maps", width: 4, positionsM: [0, 10, 20, 30] });
    await expect(
      SegyRecords.over(new MemorySource(bytes), "m.sgy", velocityExpectation([5, 4], 20)),
    ).rejects.toThrow(
      "m.sgy: map of field record 1: expected traces 1 and 2 20 m apart, got 10 m from x 0 m to 10 m",
    );
  });

  it("are read by segyio", async (context) => {
    const python = process.env.EPIC_PYTHON ?? "python3";
    try {
      execFileSync(python, ["-c", "import segyio"], { stdio: "ignore" });
    } catch {
      context.skip(`${python} has no segyio (EPIC_PYTHON names another)`);
    }
    const path = join(folder, "own.sgy");
    const data = values(60).map((value) => value * 1.37);
    const script = `
import json, sys, segyio
with segyio.open(sys.argv[1], strict=False, ignore_geometry=True) as f:
    T = segyio.TraceField
    print(json.dumps({
        "format": int(f.format), "interval": segyio.tools.dt(f), "text": f.text[0][:40].decode("latin1"),
        "traces": f.trace.raw[:].tolist(),
        "sources": f.attributes(T.SourceX)[:].tolist(), "groups": f.attributes(T.GroupX)[:].tolist(),
        "scalars": sorted(set(f.attributes(T.SourceGroupScalar)[:].tolist())),
        "records": f.attributes(T.FieldRecord)[:].tolist()}))`;
    for (const [name, code] of [
      ["ieee", 5],
      ["ibm", 1],
    ] as const) {
      await writeFile(path, await segy({ values: data }, name));
      const seen = JSON.parse(execFileSync(python, ["-c", script, path], { encoding: "utf8" }));
      expect(seen).toMatchObject({ format: code, interval: 2000, scalars: [-1000] });
      expect(seen.text).toBe("C 1 Written by epic convert: shot gathers".slice(0, 40));
      expect(seen.records).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
      expect(seen.sources.slice(4, 9)).toEqual([15000, 15000, 15000, 15000, 30000]);
      expect(seen.groups.slice(0, 5)).toEqual([0, 10000, 20000, 30000, 0]);
      for (const [trace, samples] of seen.traces.entries()) {
        const [shot, receiver] = [Math.floor(trace / 4), trace % 4];
        for (const [t, value] of samples.entries()) {
          const wanted = data[shot * 20 + t * 4 + receiver]!;
          expect(Math.abs(value - wanted)).toBeLessThanOrEqual(
            code === 5 ? 0 : Math.abs(wanted) * 2 ** -20,
          );
        }
      }
    }
  });

  it("refuse what the format cannot hold", async () => {
    await expect(segy({ step: 40 })).rejects.toThrow(
      "sample interval: expected 0.001 to 32.767 ms",
    );
    await expect(segy({ samples: 40_000 })).rejects.toThrow("samples: expected 1 to 32767");
    await expect(segy({ sourcesM: [0, 1] })).rejects.toThrow(
      "sources: expected 3 positions, got 2",
    );
    expect(() => encodeTextHeader(["\n"])).toThrow("printable");
  });
});

describe("damage", () => {
  const cases: [name: string, change: (bytes: Uint8Array) => Uint8Array, text: RegExp][] = [
    ["an empty file", () => new Uint8Array(), /expected at least 3600 bytes, got an empty file/],
    ["a lone header", (bytes) => bytes.subarray(0, 3600), /expected at least one trace, got none/],
    [
      "a cut trace",
      (bytes) => bytes.subarray(0, -7),
      /expected whole traces of 260 bytes, got 11 and 253/,
    ],
    ["little-endian", (bytes) => put(bytes, 3225, 0x0500), /got 5 in little-endian order/],
    ["an unknown format", (bytes) => put(bytes, 3225, 4), /expected sample format 1 \(IBM.* got 4/],
    [
      "an unknown number of headers",
      (bytes) => put(bytes, 3505, 0xffff),
      /textual headers, got -1/,
    ],
    [
      "another length",
      (bytes) => put(bytes, 3601 + 260 + 114, 6),
      /trace 2: expected 5 samples .* got 6/,
    ],
    ["another interval", (bytes) => put(bytes, 3601 + 116, 4000), /trace 1: .*2000 us .* got 4000/],
    ["a delay", (bytes) => put(bytes, 3601 + 108, 20), /trace 1: .*got a delay of 20 ms/],
    [
      "angles",
      (bytes) => put(bytes, 3601 + 260 + 88, 2),
      /trace 2: expected coordinates .* got 2 \(angles\)/,
    ],
    [
      "NaN",
      (bytes) => put(bytes, 3601 + 240, 0x7fc0),
      /got NaN at record 0, shot 0, sample 0, receiver 0/,
    ],
  ];
  it.each(cases)("%s", async (_, change, text) => {
    const reading = async () => (await over(change(await segy({})))).read(0);
    const error = await reading().catch((refusal: unknown) => refusal);
    expect(error).toBeInstanceOf(SegyError);
    expect((error as Error).message).toMatch(text);
  });

  it("an IBM float beyond float32", async () => {
    const bytes = put(await segy({}, "ibm"), 3601 + 240, 0x7f7f);
    await expect((await over(bytes)).read(0)).rejects.toThrow(
      /expected values within float32's range/,
    );
  });

  it("any bytes are read or refused with SegyError, and nothing else", async () => {
    const good = await segy({});
    const altered = fc
      .array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 12 })
      .map((edits) => {
        const bytes = Uint8Array.from(good);
        // Half of the edits go where the fields are.
        for (const [at, value] of edits) bytes[at % 2 ? at : 3200 + (at % 640)] = value;
        return bytes;
      });
    const cut = fc.nat(good.length).map((length) => good.subarray(0, length));
    const random = fc.uint8Array({ minLength: 3600, maxLength: 5000 });
    await fc.assert(
      fc.asyncProperty(fc.oneof(altered, cut, random), fc.boolean(), async (bytes, isExpected) => {
        try {
          const source = new MemorySource(bytes);
          const file = await SegyRecords.over(source, "x.sgy", isExpected ? seismic : undefined);
          for (let i = 0; i < Math.min(file.count, 3); i++) await file.read(i);
        } catch (error) {
          expect(error).toBeInstanceOf(SegyError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** 1, -2, 3, ... */
function values(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (i % 2 ? -1 : 1) * (i + 1));
}

/** One record of three shots over four receivers, unless told otherwise. */
async function segy(
  changes: Partial<SegyGeometry> & { values?: Float32Array },
  format: "ieee" | "ibm" = "ieee",
): Promise<Uint8Array> {
  const { values: data = values(60), ...rest } = changes;
  const geometry: SegyGeometry = {
    ...{ kind: "records", count: 1, shots: 3, samples: 5, width: 4, step: 2 },
    ...{ sourcesM: [0, 15, 30], positionsM: [0, 10, 20, 30], ...rest },
  };
  const parts: Uint8Array[] = [];
  for await (const part of writeSegy(geometry, format, async () => data)) parts.push(part);
  return Uint8Array.from(Buffer.concat(parts));
}

function over(bytes: Uint8Array): Promise<SegyRecords> {
  return SegyRecords.over(new MemorySource(bytes), "x.sgy", seismic);
}

/** `byte`: as the standard counts, from 1. */
function put(bytes: Uint8Array, byte: number, value: number): Uint8Array {
  new DataView(bytes.buffer).setUint16(byte - 1, value);
  return bytes;
}

/** The same traces in another order. */
function shuffled(bytes: Uint8Array): Uint8Array {
  const traces = Array.from({ length: 12 }, (_, i) => bytes.slice(3600 + i * 260, 3860 + i * 260));
  const order = Array.from({ length: 12 }, (_, i) => (i * 7 + 5) % 12);
  return Uint8Array.from(Buffer.concat([bytes.subarray(0, 3600), ...order.map((i) => traces[i]!)]));
}
