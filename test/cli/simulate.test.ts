import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type SimulateOptions, simulateFiles } from "../../src/cli/simulate.ts";
import { readNpy, writeNpy } from "../../src/io/npy.ts";
import { velocityMap } from "../../src/physics/families/index.ts";
import { ForwardModeller } from "../../src/physics/index.ts";

vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let options: SimulateOptions;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "epic-simulate-"));
  options = {
    source: { family: "curvevel-b", seed: 11, count: 3 },
    out: join(folder, "set"),
    boundary: "fast",
    recordsPerFile: 2,
  };
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const list = async (path: string) => (await readdir(path)).sort();
const finished = ["data1.npy", "data2.npy", "model1.npy", "model2.npy", "simulate.json"];

describe("simulateFiles", () => {
  it("writes the family's maps and their records in OpenFWI's layout", async () => {
    const result = await simulateFiles({ ...options, startIndex: 4 });
    expect(result).toMatchObject({ records: 3, skipped: 0 });
    expect(await list(options.out)).toEqual(finished);
    const data = await readNpy(join(options.out, "data2.npy"));
    const model = await readNpy(join(options.out, "model2.npy"));
    expect(data.shape).toEqual([1, 5, 1000, 70]);
    expect(model.shape).toEqual([1, 1, 70, 70]);
    const map = velocityMap("curvevel-b", 11, 6);
    expect(model.data).toEqual(map);
    const modeller = await ForwardModeller.load({ boundary: "fast" });
    expect(Buffer.from(data.data.buffer).equals(Buffer.from(modeller.model(map).buffer))).toBe(
      true,
    );
  });

  it("makes the same files from the maps of a file", async () => {
    await simulateFiles(options);
    const maps = join(folder, "maps.npy");
    const values = [0, 1, 2].flatMap((index) => [...velocityMap("curvevel-b", 11, index)]);
    await writeNpy(maps, [3, 70, 70], Float32Array.from(values));
    const out = join(folder, "again");
    await simulateFiles({ ...options, source: { maps }, out });
    for (const name of finished.slice(0, 4)) {
      const [first, second] = [
        await readFile(join(options.out, name)),
        await readFile(join(out, name)),
      ];
      expect(first.equals(second), name).toBe(true);
    }
  });

  it("continues where an earlier run stopped, and goes on to more maps", async () => {
    await simulateFiles(options);
    const before = await readFile(join(options.out, "data2.npy"));
    await rm(join(options.out, "data2.npy"));
    let modelled = 0;
    const onRecord = () => modelled++;
    expect(await simulateFiles({ ...options, onRecord })).toMatchObject({ records: 3, skipped: 2 });
    expect(modelled).toBe(1);
    expect((await readFile(join(options.out, "data2.npy"))).equals(before)).toBe(true);
    const more = { ...options, source: { family: "curvevel-b", seed: 11, count: 4 } as const };
    expect(await simulateFiles(more)).toMatchObject({ records: 4, skipped: 2 });
    expect((await readNpy(join(options.out, "data2.npy"))).shape[0]).toBe(2);
  });

  it("refuses a folder made from something else", async () => {
    const one = { ...options, source: { family: "curvevel-b", seed: 11, count: 1 } as const };
    await simulateFiles(one);
    for (const change of [
      { source: { ...one.source, seed: 12 } },
      { boundary: "openfwi" as const },
      { startIndex: 1 },
    ]) {
      await expect(simulateFiles({ ...one, ...change })).rejects.toThrow(
        /expected a run with the same/,
      );
    }
    await rm(join(options.out, "simulate.json"));
    await expect(simulateFiles(one)).rejects.toThrow(/without simulate.json, got data1.npy/);
  });

  it("leaves whole files only when it is stopped", async () => {
    const stop = new AbortController();
    const signal = stop.signal;
    let modelled = 0;
    const onRecord = () => {
      if (++modelled === 3) stop.abort();
    };
    const four = { ...options, source: { family: "style-a", seed: 0, count: 4 } as const };
    await expect(simulateFiles({ ...four, signal, onRecord })).rejects.toThrow(/interrupted/);
    expect(await list(options.out)).toEqual(["data1.npy", "model1.npy", "simulate.json"]);
  });

  it("names the map that cannot be modelled and leaves no file of it", async () => {
    const maps = join(folder, "maps.npy");
    const values = new Float32Array(2 * 4900).fill(2000);
    values[4900 + 71] = 7000;
    await writeNpy(maps, [2, 1, 70, 70], values);
    await expect(simulateFiles({ ...options, source: { maps } })).rejects.toThrow(
      /^map 1: expected velocities up to 6124 m\/s .* got 7000$/,
    );
    expect(await list(options.out)).toEqual(["simulate.json"]);
  });

  it("refuses what is not a file of maps, and more maps than it holds", async () => {
    const maps = join(folder, "maps.npy");
    await writeFile(maps, "velocity");
    await expect(simulateFiles({ ...options, source: { maps } })).rejects.toThrow(
      /maps.npy: expected/,
    );
    await writeNpy(maps, [70, 70], new Float32Array(4900).fill(1800));
    const two = { maps, count: 2 };
    await expect(simulateFiles({ ...options, source: two })).rejects.toThrow(
      /expected 1 to 1 .* got 2/,
    );
    expect(existsSync(options.out)).toBe(false);
  });
});

/** Workers need JavaScript files: the build, where there is one. */
const built = new URL("../../dist/cli/simulate.js", import.meta.url);

describe.skipIf(!existsSync(built))("simulateFiles of the build", () => {
  it("writes the same bytes from any number of threads", async () => {
    const build = (await import(built.href)) as { simulateFiles: typeof simulateFiles };
    const digest = async (threads: number) => {
      const out = join(folder, `threads${threads}`);
      await build.simulateFiles({ ...options, out, threads });
      return Promise.all(
        finished.map(async (name) => (await readFile(join(out, name))).toString("base64")),
      );
    };
    expect(await digest(3)).toEqual(await digest(1));
  });
});
