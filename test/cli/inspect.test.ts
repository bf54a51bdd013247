/** inspect, bench and the program itself. */
import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeHex } from "../../src/engine/instantiate.ts";
import { wasmHex } from "../../src/engine/wasm/central.simd.ts";
import { encodeNpy } from "../../src/io/npy.ts";
import { encodeFrame } from "../../src/protocol/index.ts";
import { scratch } from "../edge/smallSurvey.ts";
import type { TinyModel } from "../library/tinyModel.ts";
import { requireBuild, run } from "./processes.ts";
import { writeSurveyModel } from "./surveyModel.ts";

let folder: Awaited<ReturnType<typeof scratch>>;
let model: TinyModel;

beforeAll(async () => {
  requireBuild();
  folder = await scratch();
  model = await writeSurveyModel(path("model"), 1);
});
afterAll(() => folder.dispose());

function path(name: string): string {
  return join(folder.path, name);
}

async function epic(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(args);
  expect(code, stderr).toBe(0);
  expect(stderr).toBe("");
  return stdout;
}

async function inspect(name: string, bytes?: Uint8Array) {
  if (bytes) await writeFile(path(name), bytes);
  const text = await epic("inspect", path(name));
  const fields = JSON.parse(await epic("inspect", path(name), "--json"));
  return { text, fields };
}

describe("epic inspect", () => {
  it("tells both halves of a model by one id", async () => {
    const edge = await inspect("model/edge.safetensors");
    const central = await inspect("model/central.safetensors");
    expect(edge.fields).toMatchObject({ kind: "model", half: "edge", bytes: model.edge.length });
    expect(central.fields).toMatchObject({ half: "central", modelId: edge.fields.modelId });
    expect(edge.fields.config).toEqual(JSON.parse(JSON.stringify(model.config)));
    expect(edge.text).toContain("14 + 14 + 14 + 14 + 14");
    expect(edge.text).toMatch(/enc0\.weight +I8 +16x9x70 +10,080/);
  });

  it("reads every field of a frame", async () => {
    const latent = Int8Array.from({ length: 64 }, (_, i) => i - 40);
    const frame = {
      ...{ encoding: 0 as const, modelId: "0123456789abcdef", survey: "line-7", record: 12n },
      ...{ device: 3, devices: 5, firstReceiver: 42, receivers: 14 },
      ...{ acquiredNs: 1_700_000_000_123_456_789n, latent },
    };
    const { text, fields } = await inspect("x.epic", encodeFrame(frame));
    expect(fields).toMatchObject({
      ...{ kind: "frame", survey: "line-7", record: "12", device: 3, receivers: 14, bytes: 128 },
      ...{ acquiredNs: "1700000000123456789", latentValues: 64, latentMin: -40, latentMax: 23 },
    });
    expect(text).toMatch(/receivers +42 to 55/);
    expect(text).toContain("2023-11-14T22:13:20.123Z");
  });

  it("lists what a module declares, as the engine sees it", async () => {
    const bytes = decodeHex(wasmHex);
    const { text, fields } = await inspect("x.wasm", bytes);
    const module = await WebAssembly.compile(bytes);
    const exports = WebAssembly.Module.exports(module);
    expect(
      fields.exports.map(({ name, kind }: Record<string, string>) => ({ name, kind })),
    ).toEqual(exports);
    expect(fields).toMatchObject({ kind: "wasm", valid: true, imports: [] });
    expect(fields.features).toContain("simd");
    expect(fields.instructions.simd).toBeGreaterThan(100);
    const sections = fields.sections.reduce(
      (sum: number, { bytes: size }: { bytes: number }) => sum + size,
      0,
    );
    expect(sections).toBeLessThan(bytes.length);
    expect(sections).toBeGreaterThan(bytes.length - 8 - 6 * fields.sections.length - 1);
    expect(text).toContain("  abi_version() -> i32");
  });

  it("measures an npy file", async () => {
    const data = Float32Array.of(1500, 2500, 3500, 4500);
    const { text, fields } = await inspect("x.npy", encodeNpy([1, 1, 2, 2], data));
    expect(fields).toMatchObject({
      kind: "npy",
      shape: [1, 1, 2, 2],
      min: 1500,
      max: 4500,
      mean: 3000,
    });
    expect(text).toContain("1 velocity maps");
  });
});

describe("epic bench", () => {
  it("times stages on every module, with rates that follow from macs and times", async () => {
    const quick = ["--rounds", "1", "--ms", "1", "--model", path("model"), "--json"];
    const { results } = JSON.parse(await epic("bench", "encoder", "full", ...quick));
    expect(new Set(results.map((row: { name: string }) => row.name))).toEqual(
      new Set(["encoder", "full"]),
    );
    expect(results.length).toBeGreaterThanOrEqual(4);
    for (const { medianMs, macs, gmacs, peakShare } of results) {
      expect(medianMs).toBeGreaterThan(0);
      expect(gmacs).toBeCloseTo(macs / medianMs / 1e6, 6);
      expect(peakShare).toBeGreaterThan(0);
    }
    const macsOf = (name: string) =>
      results.find((row: { name: string }) => row.name === name).macs;
    expect(macsOf("full")).toBeGreaterThan(5 * macsOf("encoder"));
  });

  it("times kernels by part of their name", async () => {
    const quick = ["--rounds", "1", "--ms", "1", "--module", "simd", "--json"];
    const { results, machine } = JSON.parse(await epic("bench", "layer_norm", ...quick));
    expect(results[0]).toMatchObject({ kernel: "layer_norm", module: "simd" });
    expect(machine.node).toBe(process.versions.node);
  });
});

describe("epic", () => {
  const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

  it("prints the package's version", async () => {
    const { version } = JSON.parse(
      await readFile(new URL("../../package.json", import.meta.url), "utf8"),
    );
    expect(await epic("--version")).toBe(`${version}\n`);
  });

  const commands = [
    ...["demo", "simulate", "infer", "encode", "decode", "eval"],
    ...["edge", "central", "broker", "testbed", "bench", "convert", "inspect"],
  ];
  it("names every command in its help", async () => {
    const help = await epic("--help");
    for (const command of commands) expect(help).toMatch(new RegExp(`^  ${command} `, "m"));
  });

  it.each(commands)("%s --help shows its options", async (command) => {
    const help = await epic(command, "--help");
    expect(help).toMatch(new RegExp(`^Usage: epic ${command} `));
    expect(help).toContain("--json");
    expect(await epic("help", command)).toBe(help);
  });

  it("without a command shows help and fails", async () => {
    const { code, stdout, stderr } = await run([]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^Usage: epic/);
  });

  it("ends quietly when its reader goes away", async () => {
    const child = spawn(process.execPath, [main, "--help"], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    await new Promise((resolve) => child.once("close", resolve));
    expect(stderr).toBe("");
  });
});
