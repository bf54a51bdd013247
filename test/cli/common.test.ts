import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  checkOutputFolder,
  describeError,
  MisuseError,
  parseIntOption,
} from "../../src/cli/common.ts";
import { formatFacts, formatTable } from "../../src/cli/table.ts";

it("describes errors in one line of the user's words", () => {
  const missing = Object.assign(new Error("ENOENT: ..."), { code: "ENOENT", path: "/x/y.npy" });
  expect(describeError(missing)).toBe("/x/y.npy: no such file or folder");
  expect(describeError(new RangeError("device: expected 0 to 4, got 5"))).toBe(
    "device: expected 0 to 4, got 5",
  );
  expect(describeError(new Error("two\n  lines\n"))).toBe("two lines");
  expect(describeError("text")).toBe("text");
});

it("owns up to its own bugs", () => {
  const bug = "internal error: Cannot read properties of undefined (EPIC_DEBUG=1 shows where)";
  expect(describeError(new TypeError("Cannot read properties of undefined"))).toBe(bug);
  expect(describeError(new RangeError("Invalid typed array length: -1"))).toMatch(/^internal/);
});

it("reads whole numbers within bounds and nothing else", () => {
  const parse = parseIntOption("--n", -2, 10);
  expect([parse("-2"), parse("10"), parse(" 7 ")]).toEqual([-2, 10, 7]);
  for (const text of ["-3", "11", "1.5", "1e1", "0x5", "", " ", "seven", "NaN"]) {
    expect(() => parse(text), text).toThrow(MisuseError);
  }
  expect(() => parse("x")).toThrow('--n: expected a whole number -2 to 10, got "x"');
});

it("accepts folders that can be made, and not below a file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "epic-common-"));
  await writeFile(join(folder, "file"), "");
  await checkOutputFolder(join(folder, "a/b/c"));
  await expect(checkOutputFolder(join(folder, "file/b"))).rejects.toThrow(
    "expected a folder, got a file",
  );
  await rm(folder, { recursive: true });
});

it("aligns tables: first column left, the others right", () => {
  expect(
    formatTable(
      ["name", "n"],
      [
        ["a", "10"],
        ["longer", "7"],
      ],
    ),
  ).toBe("name     n\na       10\nlonger   7");
  expect(
    formatFacts([
      ["a", "1"],
      ["long", "2"],
    ]),
  ).toBe("a     1\nlong  2");
});
