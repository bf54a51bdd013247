import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { readPackageFile } from "../../src/engine/packageFile.ts";
import { loadCentralWeights, loadEdgeWeights } from "../../src/io/defaultWeights.ts";

const PATH = "weights/epic-base/edge.safetensors";

afterEach(() => vi.unstubAllGlobals());

describe("readPackageFile", () => {
  it.each([true, false])(
    "reads a file whole, into memory that can be given back: %s",
    (resizable) => {
      const bytes = readPackageFile(PATH, resizable)!;
      expect(Buffer.compare(bytes, readFileSync(PATH))).toBe(0);
      const buffer = bytes.buffer as ArrayBuffer & { resizable: boolean };
      expect(buffer.resizable).toBe(resizable);
    },
  );

  it("finds nothing where there is nothing", () => {
    expect(readPackageFile("weights/none/edge.safetensors")).toBeUndefined();
  });

  it("leaves hosts without files to the other way", () => {
    vi.stubGlobal("process", undefined);
    expect(readPackageFile(PATH)).toBeUndefined();
    vi.stubGlobal("process", {});
    expect(readPackageFile(PATH)).toBeUndefined();
  });
});

it("the other way reads the same", async () => {
  expect(await loadEdgeWeights()).toEqual(readFileSync(PATH));
  const central = await loadCentralWeights();
  expect(Buffer.compare(central, readFileSync(PATH.replace("edge", "central")))).toBe(0);
});
