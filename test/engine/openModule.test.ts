import { describe, expect, it } from "vitest";
import { edgeModules } from "../../src/engine/edgeModules.ts";
import type { EdgeExports, ModuleName } from "../../src/engine/kernels.ts";
import { type ModuleFamily, openModule } from "../../src/engine/openModule.ts";
import { enableRelaxedSimd } from "../library/relaxed.ts";

const hasRelaxed = enableRelaxedSimd();
/** No module at all: as an engine sees instructions that it does not know. */
const UNKNOWN = Uint8Array.from(Buffer.from("not a module"));

type Fault = "unknown" | "wrong bits";

/** The edge modules, some of them spoilt. */
function family(faults: Partial<Record<ModuleName, Fault>>): ModuleFamily<EdgeExports> {
  const source = { ...edgeModules.source };
  const wrong = new Set<string>();
  for (const [name, fault] of Object.entries(faults) as [ModuleName, Fault][]) {
    if (fault === "unknown") source[name] = async () => UNKNOWN;
    else wrong.add(name);
  }
  // The order of tries is fixed, so the n-th self-test is that of the n-th valid module.
  const tried = (["relaxed", "simd", "scalar"] as const).filter(
    (name) => faults[name] !== "unknown" && (name !== "relaxed" || hasRelaxed),
  );
  let next = 0;
  return {
    ...edgeModules,
    source,
    selfTest: (exports, arena) => {
      const crc = edgeModules.selfTest(exports, arena, "");
      return wrong.has(tried[next++]!) ? (crc ^ 1) >>> 0 : crc;
    },
  };
}

describe("openModule", () => {
  it("takes the fastest that works and says why", async () => {
    const module = await openModule(edgeModules);
    expect(["relaxed", "simd"]).toContain(module.name);
    expect(module.reason).toMatch(
      hasRelaxed
        ? /^(relaxed: self-test passed; (one instruction for four products|not emulated here)|simd: self-test passed; relaxed is emulated)/
        : /^simd: self-test passed; relaxed needs relaxed SIMD, which this engine lacks/,
    );
  });

  it("leaves the memory zero above the module's own constants", async () => {
    const { exports, memory } = await openModule(edgeModules);
    const rest = new Uint8Array(memory.buffer, exports.heap_base());
    expect(rest.every((byte) => byte === 0)).toBe(true);
  });

  it("falls back on simd where relaxed SIMD is unknown", async () => {
    const module = await openModule(family({ relaxed: "unknown" }));
    expect(module.name).toBe("simd");
    expect(module.reason).toBe(
      "simd: self-test passed; relaxed needs relaxed SIMD, which this engine lacks (Node 22+ has it)",
    );
  });

  it("falls back on scalar where SIMD is unknown", async () => {
    const module = await openModule(family({ relaxed: "unknown", simd: "unknown" }));
    expect(module.name).toBe("scalar");
    expect(module.reason).toContain("simd needs SIMD, which this engine lacks");
  });

  it("falls back when a self-test fails, and names both values", async () => {
    const module = await openModule(family({ relaxed: "unknown", simd: "wrong bits" }));
    expect(module.name).toBe("scalar");
    expect(module.reason).toMatch(
      /simd failed its self-test \(hash 56dbb824 instead of 56dbb825\)$/,
    );
  });

  it.runIf(hasRelaxed)("keeps simd when relaxed fails, relaxed when simd fails", async () => {
    expect((await openModule(family({ relaxed: "wrong bits" }))).name).toBe("simd");
    expect((await openModule(family({ simd: "wrong bits" }))).name).toBe("relaxed");
  });

  it("gives up when nothing works", async () => {
    const none = family({ relaxed: "unknown", simd: "unknown", scalar: "wrong bits" });
    await expect(openModule(none)).rejects.toThrow(
      /^module: no edge module works here: relaxed needs .*; simd needs .*; scalar failed its self-test/,
    );
  });
});

describe("openModule, asked for one module", () => {
  it.each(["scalar", "simd"] as const)("opens %s", async (name) => {
    const module = await openModule(edgeModules, { module: name });
    expect(module.name).toBe(name);
    expect(module.reason).toBe(`${name}: asked for; self-test passed`);
  });

  it("does not put another in its place", async () => {
    await expect(openModule(family({ relaxed: "unknown" }), { module: "relaxed" })).rejects.toThrow(
      new RangeError(
        "module: relaxed needs relaxed SIMD, which this engine lacks (Node 22+ has it)",
      ),
    );
    const wrong = { ...edgeModules, selfTestHash: 0 };
    await expect(openModule(wrong, { module: "simd" })).rejects.toThrow(
      "module: simd failed its self-test (hash 56dbb825 instead of 00000000)",
    );
  });

  it("takes it compiled already", async () => {
    const compiled = await WebAssembly.compile(await edgeModules.source.simd());
    const module = await openModule(edgeModules, { module: "simd", compiled });
    expect(module.reason).toBe("simd: asked for; self-test passed");
    await expect(openModule(edgeModules, { compiled })).rejects.toThrow(
      new RangeError("module: expected the name of the compiled module, got none"),
    );
  });

  it("refuses names that are none", async () => {
    const name = "turbo" as ModuleName;
    await expect(openModule(edgeModules, { module: name })).rejects.toThrow(
      new RangeError("module: expected relaxed, simd, scalar, got turbo"),
    );
  });
});
