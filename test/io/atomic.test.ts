import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { isDraftOf, writeFileAtomic, writeFilesAtomic } from "../../src/io/atomic.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "epic-atomic-"));
});
afterEach(async () => {
  await chmod(folder, 0o755);
  await rm(folder, { recursive: true });
});

it("writes text, bytes and parts, and replaces what was there", async () => {
  const path = join(folder, "a");
  await writeFileAtomic(path, "one");
  expect(await readFile(path, "utf8")).toBe("one");
  await writeFileAtomic(path, [Buffer.from("two "), Buffer.from("parts")]);
  expect(await readFile(path, "utf8")).toBe("two parts");
  expect(await readdir(folder)).toEqual(["a"]);
});

it("keeps the old file and removes its own when the source fails", async () => {
  const path = join(folder, "a");
  await writeFile(path, "old");
  async function* failing() {
    yield Buffer.from("half");
    throw new Error("source: gone");
  }
  await expect(writeFileAtomic(path, failing())).rejects.toThrow("source: gone");
  expect(await readFile(path, "utf8")).toBe("old");
  expect(await readdir(folder)).toEqual(["a"]);
});

it("names the target, not the temporary file, in a system error", async () => {
  const path = join(folder, "none", "a");
  await expect(writeFileAtomic(path, "x")).rejects.toMatchObject({ code: "ENOENT", path });
});

it("keeps nothing when the target cannot be replaced", async () => {
  const path = join(folder, "a");
  await mkdir(path);
  await expect(writeFileAtomic(path, "x")).rejects.toMatchObject({ path });
  expect(await readdir(folder)).toEqual(["a"]);
});

it("writes several files, or none and no folder", async () => {
  const path = join(folder, "deep", "result");
  async function* failing() {
    yield Buffer.from("half");
    throw new Error("source: gone");
  }
  const bad = writeFilesAtomic(path, { a: "1", b: failing() });
  await expect(bad).rejects.toThrow("source: gone");
  expect(await readdir(folder)).toEqual([]);
  await writeFilesAtomic(path, { a: "1", b: Buffer.from("2") });
  expect(await readdir(path)).toEqual(["a", "b"]);
  await expect(writeFilesAtomic(path, { c: "3", d: failing() })).rejects.toThrow("source: gone");
  expect(await readdir(path)).toEqual(["a", "b"]);
});

it("knows the drafts of a folder by their names", () => {
  expect(isDraftOf("7", ".7.0123456789ab.tmp")).toBe(true);
  for (const name of ["7", ".7", ".77.0123456789ab.tmp", ".7.0123456789aX.tmp", ".7.tmp"]) {
    expect(isDraftOf("7", name)).toBe(false);
  }
});
