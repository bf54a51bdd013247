/** `epic maps` as a user runs it. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { readNpy } from "../../src/io/npy.ts";
import { FAMILIES, velocityMap } from "../../src/physics/families/index.ts";
import { scratch } from "../edge/smallSurvey.ts";
import { requireBuild, run } from "./processes.ts";

vi.setConfig({ testTimeout: 120_000 });

let folder: Awaited<ReturnType<typeof scratch>>;
beforeAll(async () => {
  requireBuild();
  folder = await scratch();
});
afterAll(() => folder.dispose());

function maps(...args: string[]) {
  return run(["maps", ...args]);
}

it("writes the family's maps as simulate does", async () => {
  const file = join(folder.path, "one.npy");
  const { code, stderr } = await maps(
    ...["--family", "curvefault-b", "-n", "3", "--seed", "7", "--start-index", "2", "-o", file],
  );
  expect(code, stderr).toBe(0);
  const { shape, data } = await readNpy(file);
  expect(shape).toEqual([3, 1, 70, 70]);
  const expected = [2, 3, 4].flatMap((i) => [...velocityMap("curvefault-b", 7, i)]);
  expect([...data]).toEqual(expected);
});

it("packs them into uint16, every family into a file of its own", async () => {
  const out = join(folder.path, "packed");
  const { code, stdout } = await maps(
    ...["--family", "all", "-n", "2", "--seed", "1", "--packed", "-o", out, "--json"],
  );
  expect(code).toBe(0);
  const names = FAMILIES.map((family) => `${family}.seed1.000000.2.npy`);
  expect((await readdir(out)).sort()).toEqual([...names].sort());
  expect(JSON.parse(stdout)).toEqual({
    maps: 20,
    seed: 1,
    files: names.map((name) => join(out, name)),
  });
  const bytes = await readFile(join(out, "style-a.seed1.000000.2.npy"));
  expect(bytes.length).toBe(128 + 2 * 2 * 4900);
  expect(bytes.toString("latin1", 0, 128)).toContain("'descr': '<u2'");
  const last = velocityMap("style-a", 1, 1).at(-1)!;
  expect(bytes.readUInt16LE(bytes.length - 2)).toBe(Math.round(last * 10));
});

it("says in one line what is wrong", async () => {
  const file = join(folder.path, "taken");
  await writeFile(file, "");
  const cases: [string[], RegExp][] = [
    [["--family", "flatvel-c", "-n", "1", "-o", "x.npy"], /--family: expected .*got "flatvel-c"/],
    [["--family", "all", "-n", "1", "-o", "x.npy"], /-o: expected a folder for 10 families/],
    [["--family", "style-a", "-n", "0", "-o", "x.npy"], /-n: expected a whole number 1 to/],
    [["--family", "style-a", "-n", "1", "-o", file], /expected a folder, got a file/],
  ];
  for (const [args, line] of cases) {
    const { code, stderr } = await maps(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(line);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  }
});
