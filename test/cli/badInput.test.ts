/** Whatever is wrong with the input: one clear line, exit code 1 or 2, no stack, no partial output. */
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeNpy } from "../../src/io/npy.ts";
import { scratch } from "../edge/smallSurvey.ts";
import { requireBuild, run } from "./processes.ts";
import { writeSurveyModel } from "./surveyModel.ts";

const recordShape = [1, 5, 1000, 70];
const recordLength = 350_000;
let folder: Awaited<ReturnType<typeof scratch>>;

beforeAll(async () => {
  requireBuild();
  folder = await scratch();
  await writeSurveyModel(path("model"), 1);
  await writeSurveyModel(path("other"), 2);
  await writeFile(path("good.npy"), goodFile());
  await mkdir(path("empty"));
});
afterAll(() => folder.dispose());

/** A file below the scratch folder. */
function path(name: string): string {
  return join(folder.path, name);
}

function goodFile(): Uint8Array {
  return encodeNpy(recordShape, new Float32Array(recordLength));
}

/** A good file whose header text is changed without changing its length. */
function relabelled(from: string, to: string): Uint8Array {
  const bytes = Buffer.from(goodFile());
  const at = bytes.indexOf(from);
  expect(at).toBeGreaterThan(0);
  bytes.write(to.padEnd(from.length), at);
  return bytes;
}

function withValue(value: number): Uint8Array {
  const data = new Float32Array(recordLength);
  data[2 * 70_000 + 17 * 70 + 5] = value;
  return encodeNpy(recordShape, data);
}

function hugeFloat64(): Uint8Array {
  const text = `{'descr': '<f8', 'fortran_order': False, 'shape': (1, 5, 1000, 70), }`;
  const header = Buffer.from(`${"\x93NUMPY\x01\0"}\x76\0${text.padEnd(117)}\n`, "latin1");
  const data = new Float64Array(recordLength);
  data[2] = 1e300;
  return Buffer.concat([header, Buffer.from(data.buffer)]);
}

const longHeader = Buffer.concat([
  Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0, 0xff, 0xff, 0xff, 0x7f]),
  Buffer.alloc(100, " "),
]);

/** Runs a command that must fail and checks how. Returns its line on stderr. */
async function failing(args: readonly string[], code: number): Promise<string> {
  const before = await snapshot();
  const ended = await run(args);
  expect(ended.code, ended.stderr).toBe(code);
  expect(ended.stdout).toBe("");
  const lines = ended.stderr.trimEnd().split("\n");
  expect(lines, ended.stderr).toHaveLength(1);
  expect(lines[0]).toMatch(/^epic: /);
  expect(lines[0]).not.toMatch(/\bat .*:\d+:\d+|internal error/);
  expect(await snapshot()).toEqual(before);
  return lines[0]!;
}

/** Everything below the scratch folder, by name. */
async function snapshot(): Promise<string[]> {
  return (await readdir(folder.path, { recursive: true })).sort();
}

describe("seismic files", () => {
  const files: [name: string, bytes: () => Uint8Array, text: RegExp][] = [
    ["an empty file", () => new Uint8Array(), /got an empty file/],
    ["no npy file", () => Buffer.from("shot,time,amplitude\n"), /expected an npy file/],
    ["int32", () => relabelled("'<f4'", "'<i4'"), /expected float32 or float64, got int32/],
    ["float64 cut short", () => relabelled("'<f4'", "'<f8'"), /cut short/],
    ["a cut zip archive", () => Buffer.from("PK\x03\x04 and so on"), /got no end record/],
    [
      "another shape",
      () => encodeNpy([1, 5, 1000, 69], new Float32Array(345_000)),
      /got \(1, 5, 1000, 69\)/,
    ],
    [
      "maps instead of records",
      () => encodeNpy([1, 1, 70, 70], new Float32Array(4900)),
      /expected shape \(N, 5, 1000, 70\)/,
    ],
    ["a file cut short", () => goodFile().subarray(0, 1_000_000), /cut short/],
    ["extra bytes", () => Buffer.concat([goodFile(), Buffer.from("x")]), /extra bytes/],
    ["a huge header", () => longHeader, /header of at most 65536 bytes, got one of 2147483647/],
    ["NaN", () => withValue(Number.NaN), /got NaN at record 0, shot 2, sample 17, receiver 5/],
    ["infinity", () => withValue(Number.NEGATIVE_INFINITY), /got -Infinity at record 0, shot 2/],
  ];
  it.each(files)("infer refuses %s", async (_, bytes, text) => {
    await writeFile(path("bad.npy"), bytes());
    const line = await failing(
      ["infer", path("bad.npy"), "--model", path("model"), "-o", path("out"), "--json"],
      1,
    );
    expect(line).toMatch(text);
    expect(line).toContain(path("bad.npy"));
  });

  it("infer says what it converts, then refuses what float32 cannot hold", async () => {
    await writeFile(path("bad.npy"), hugeFloat64());
    const args = ["infer", path("bad.npy"), "--model", path("model"), "-o", path("out"), "--json"];
    const before = await snapshot();
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr.trimEnd().split("\n")).toEqual([
      `epic: ${path("bad.npy")}: read as float32 in C order from float64`,
      `epic: ${path("bad.npy")}: expected values within float32's range, got 1e+300 at record 0, shot 0, sample 0, receiver 2`,
    ]);
    expect(await snapshot()).toEqual(before);
  });

  it("encode refuses NaN before it writes a frame, in this thread and in workers", async () => {
    const good = new Float32Array(2 * recordLength);
    good[recordLength + 3] = Number.NaN;
    await writeFile(path("bad.npy"), encodeNpy([2, 5, 1000, 70], good));
    for (const threads of ["1", "2"]) {
      const args = ["--device", "0", "--model", path("model"), "--threads", threads];
      const line = await failing(["encode", path("bad.npy"), "-o", path("out"), ...args], 1);
      expect(line).toContain("got NaN at record 1, shot 0, sample 0, receiver 3");
    }
  });

  it("infer refuses true maps of another number", async () => {
    await writeFile(path("truth.npy"), encodeNpy([2, 1, 70, 70], new Float32Array(9800)));
    const line = await failing(
      ["infer", path("good.npy"), "--truth", path("truth.npy"), "--model", path("model")],
      1,
    );
    expect(line).toMatch(/expected 1 maps, got 2/);
  });

  it("infer names a file that is not there, and a folder", async () => {
    const infer = (name: string) => failing(["infer", path(name), "--model", path("model")], 1);
    expect(await infer("none.npy")).toMatch(/none\.npy: no such file/);
    expect(await infer("empty")).toMatch(/empty: expected a(n npy)? file, got a folder/);
  });

  it("eval refuses a folder without records, and one without maps", async () => {
    const evaluate = (name: string) => failing(["eval", path(name), "--model", path("model")], 1);
    expect(await evaluate("empty")).toMatch(/expected data\*\.npy and model\*\.npy, got none/);
    await mkdir(path("half"));
    await writeFile(path("half/data1.npy"), goodFile());
    expect(await evaluate("half")).toMatch(
      /data1\.npy: expected its maps in model1\.npy, got no file/,
    );
  });
});

describe("weights", () => {
  const infer = (model: string) =>
    failing(["infer", path("good.npy"), "--model", path(model), "-o", path("out")], 1);

  it("refuses a folder without weights", async () => {
    expect(await infer("empty")).toMatch(
      /expected weights at .*edge\.safetensors, got no such file/,
    );
    expect(await infer("nowhere")).toMatch(/got no such file/);
  });

  it("refuses an edge half that was altered: the central half names another", async () => {
    await cp(path("model"), path("altered"), { recursive: true });
    const bytes = await readFile(path("altered/edge.safetensors"));
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path("altered/edge.safetensors"), bytes);
    expect(await infer("altered")).toMatch(
      /expected central weights of edge model \w{16}, got \w{16}/,
    );
  });

  it("refuses halves of two models, a swapped half and a cut file", async () => {
    await cp(path("model"), path("mixed"), { recursive: true });
    await cp(path("other/central.safetensors"), path("mixed/central.safetensors"));
    expect(await infer("mixed")).toMatch(/expected central weights of edge model/);
    await cp(path("model/edge.safetensors"), path("mixed/central.safetensors"));
    expect(await infer("mixed")).toMatch(/expected format epic-central, got epic-edge/);
    const bytes = await readFile(path("model/central.safetensors"));
    await writeFile(path("mixed/central.safetensors"), bytes.subarray(0, bytes.length - 9));
    expect(await infer("mixed")).toMatch(/safetensors|tensor/);
    await writeFile(path("mixed/central.safetensors"), "");
    expect(await infer("mixed")).toMatch(/safetensors: expected at least 8 bytes, got 0/);
  });
});

describe("frames", () => {
  const frame = (device: number) => path(`frames/record-000000.device-${device}.epic`);
  const decode = (...frames: string[]) =>
    failing(["decode", ...frames, "-o", path("map.npy"), "--model", path("model")], 1);

  beforeAll(async () => {
    for (const device of ["0", "1"]) {
      const args = ["--device", device, "-o", path("frames"), "--model", path("model")];
      const ended = await run(["encode", path("good.npy"), ...args]);
      expect(ended.code, ended.stderr).toBe(0);
    }
    const args = ["--device", "2", "-o", path("frames"), "--model", path("other")];
    await run(["encode", path("good.npy"), ...args]);
  });

  it("of another model", async () => {
    expect(await decode(frame(0), frame(2))).toMatch(
      /device-2\.epic: expected a latent of model \w{16}, got \w{16}/,
    );
  });

  it("given twice", async () => {
    expect(await decode(frame(0), frame(1), frame(0))).toMatch(
      /expected one frame per device, got a second of device 0, record 0/,
    );
  });

  it("cut, lengthened or altered", async () => {
    const bytes = await readFile(frame(0));
    await writeFile(path("bad.epic"), bytes.subarray(0, bytes.length - 1));
    expect(await decode(frame(1), path("bad.epic"))).toMatch(/bad\.epic: frame: .*\(truncated\)/);
    await writeFile(path("bad.epic"), Buffer.concat([bytes, Buffer.from([0])]));
    expect(await decode(path("bad.epic"))).toMatch(/\(extra-bytes\)/);
    bytes[70]! ^= 4;
    await writeFile(path("bad.epic"), bytes);
    expect(await decode(path("bad.epic"))).toMatch(/\(bad-checksum\)/);
    await writeFile(path("bad.epic"), "");
    expect(await decode(path("bad.epic"))).toMatch(/\(truncated\)/);
    expect(await decode(path("good.npy"))).toMatch(/\(bad-magic\)/);
  });

  it("of another survey", async () => {
    const args = [
      "--device",
      "1",
      "-o",
      path("line2"),
      "--model",
      path("model"),
      "--survey",
      "line2",
    ];
    await run(["encode", path("good.npy"), ...args]);
    expect(await decode(frame(0), path("line2/record-000000.device-1.epic"))).toMatch(
      /expected a frame of survey local, got line2/,
    );
  });
});

describe("output", () => {
  it("infer refuses a folder that cannot be made, before it computes", async () => {
    const args = ["infer", path("good.npy"), "--model", path("model"), "-o"];
    expect(await failing([...args, path("good.npy/out")], 2)).toMatch(
      /expected a folder, got a file/,
    );
    expect(await failing([...args, "/proc/out"], 1)).toMatch(/^epic: \/proc\/out/);
  });

  it("decode refuses a file in place of a folder", async () => {
    const args = ["-o", path("good.npy/map.npy"), "--model", path("model")];
    expect(await failing(["decode", path("frames/x.epic"), ...args], 2)).toMatch(/got a file/);
  });
});

describe("misuse", () => {
  const cases: [args: string[], text: RegExp][] = [
    [["frobnicate"], /unknown command 'frobnicate'/],
    [["inferr"], /unknown command 'inferr' \(Did you mean infer\?\)/],
    [["infer"], /missing required argument 'data'/],
    [["infer", "a", "b"], /too many arguments/],
    [["infer", "a", "--speed", "9"], /unknown option '--speed'/],
    [["infer", "a", "--module", "avx"], /Allowed choices are scalar, simd, relaxed/],
    [["infer", "a", "--threads", "0"], /--threads: expected a whole number 1 to 256, got "0"/],
    [["encode", "a", "-o", "b"], /required option '--device <i>' not specified/],
    [["encode", "a", "-o", "b", "--device", "1.5"], /--device: expected a whole number/],
    [["encode", "a", "-o", "b", "--device", "0", "--survey", "A B"], /--survey: expected 1-16/],
    [["decode", "-o", "x"], /missing required argument 'frames'/],
    [["eval"], /expected a folder or --family, got neither/],
    [["eval", "x", "--family", "all"], /expected a folder or --family, got both/],
    [["eval", "--family", "flatvel-a"], /expected -n with --family, got none/],
    [["eval", "--family", "flatvel-c", "-n", "1"], /expected flatvel-a, .* got "flatvel-c"/],
    [["bench", "frobnicate"], /bench: expected .* got frobnicate/],
  ];
  it.each(cases)("%j", async (args, text) => {
    expect(await failing(args, 2)).toMatch(text);
  });

  it("a device that the model does not have", async () => {
    const args = ["--device", "5", "-o", path("out"), "--model", path("model")];
    expect(await failing(["encode", path("good.npy"), ...args], 2)).toMatch(
      /--device: expected 0 to 4, got 5/,
    );
  });
});

describe("inspect", () => {
  it("refuses what it does not know, and damaged files of the kinds it knows", async () => {
    const inspect = async (bytes: Uint8Array | string) => {
      await writeFile(path("thing"), bytes);
      return failing(["inspect", path("thing")], 1);
    };
    expect(await inspect("hello")).toMatch(
      /expected a model, frame, wasm module, npy, npz or SEG-Y file/,
    );
    expect(await inspect("")).toMatch(/got an empty file/);
    expect(await inspect(Buffer.from("\0asm\x02\0\0\0"))).toMatch(/expected version 1, got 2/);
    expect(await inspect(Buffer.from("\0asm\x01\0\0\0\x0a\xff"))).toMatch(/wasm: expected/);
    expect(await inspect(Buffer.from("EPIC and no more"))).toMatch(/\(truncated\)/);
    expect(await inspect(goodFile().subarray(0, 500))).toMatch(/cut short/);
    expect(await inspect(Buffer.from("\x02\0\0\0\0\0\0\0{}"))).toMatch(/expected format epic-edge/);
  });
});
