/** Three ways to a hash: the runtime's own, WebCrypto where there is none, and our own where there is neither. */
import { createHash } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { loadEdgeWeights } from "../../src/io/defaultWeights.ts";
import { sha256Hex } from "../../src/model/sha256.ts";
import { sha256Plain } from "../../src/model/sha256Plain.ts";

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 31) & 255);
const shared = new Uint8Array(new SharedArrayBuffer(1000));
shared.set(bytes);
const wanted = createHash("sha256").update(bytes).digest("hex");

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** As in a browser, and in Node before 20.16. */
function withoutBuiltins(): void {
  vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never);
}

/** As on a page that came over plain HTTP from another machine. */
function withoutWebCrypto(): void {
  withoutBuiltins();
  vi.stubGlobal("crypto", {});
}

describe.each([
  ["with the runtime's crypto", () => {}],
  ["with WebCrypto", withoutBuiltins],
  ["with neither", withoutWebCrypto],
])("sha256Hex, %s", (_, prepare) => {
  it("hashes one piece, parts in order, nothing, and shared memory", async () => {
    const digest = vi.spyOn(crypto.subtle, "digest");
    prepare();
    expect(await sha256Hex(bytes)).toBe(wanted);
    expect(await sha256Hex(bytes.subarray(0, 3), bytes.subarray(3))).toBe(wanted);
    expect(await sha256Hex(shared)).toBe(wanted);
    expect(await sha256Hex()).toBe(createHash("sha256").digest("hex"));
    expect(digest).toHaveBeenCalledTimes(prepare === withoutBuiltins ? 4 : 0);
  });
});

describe("sha256Plain", () => {
  it("pads every length as Node does", () => {
    for (const length of [...Array(130).keys(), 4096]) {
      const part = Uint8Array.from({ length }, (_, i) => (i * 97 + length) & 255);
      expect(sha256Plain(part)).toBe(createHash("sha256").update(part).digest("hex"));
    }
  });
});

describe("the shipped weights", () => {
  it("are read where Node cannot be asked for a built-in by name", async () => {
    const here = await loadEdgeWeights();
    withoutBuiltins();
    expect(Buffer.compare(await loadEdgeWeights(), here)).toBe(0);
  });
});
