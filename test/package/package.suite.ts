/**
 * The package as it is published: what is in the tarball, what checkers say of it, and that it works in an empty project in each way that
 * people import it. Needs the npm registry, for the package's dependencies.
 */
import { spawn } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { encodeFrame } from "../../src/protocol/index.ts";
import { chromiumPath } from "../browser/chromium.ts";
import { requireBuild } from "../cli/processes.ts";
import { bytesOf, hexOf, readGolden } from "../hosts/golden.ts";
import { openPage } from "./browser.ts";
import { inProject, installInto, type Packed, pack, projectFolder, root } from "./project.ts";

const SIZE_MAX = 3_000_000;
/** What an end device's page may cost: scripts with the module it runs, and the weights. */
const EDGE_DOWNLOAD_MAX = 150_000;
const golden = readGolden();
let packed: Packed;
let missing: string | undefined;

beforeAll(() => {
  requireBuild();
  packed = pack();
  missing = installInto(packed.tarball);
  if (missing !== undefined) console.log(`test:package: skipping what needs it: ${missing}`);
  else writeFileSync(join(projectFolder, "traces.f32"), bytesOf(golden.traces[2]!));
});

/** A test in the project; skipped with the reason where it could not be made. */
function inInstalled(name: string, test: () => void | Promise<void>): void {
  it(name, async ({ skip }) => {
    if (missing !== undefined) skip(missing);
    else await test();
  });
}

/** A test in a page; skipped without Chromium. */
function inChromium(name: string, test: (chromium: string) => Promise<void>): void {
  it(name, async ({ skip }) => {
    if (missing !== undefined) skip(missing);
    else if (chromiumPath === undefined) skip("no chromium: apt-get install chromium");
    else await test(chromiumPath);
  });
}

function expectGood({ code, output }: { code: number; output: string }): string {
  expect(code, output).toBe(0);
  return output;
}

describe("the tarball", () => {
  it("is small and holds what is used, nothing else", () => {
    const paths = packed.files.map(({ path }) => path);
    console.log(`tarball: ${packed.size} bytes, ${paths.length} files`);
    expect(packed.size).toBeLessThan(SIZE_MAX);
    for (const path of [
      ...["dist/index.js", "dist/index.d.ts", "dist/cli/main.js", "dist/wasm/edge.simd.wasm"],
      ...["weights/epic-base/edge.safetensors", "weights/epic-base/central.safetensors"],
      ...["README.md", "LICENSE", "package.json"],
    ]) {
      expect(paths).toContain(path);
    }
    const stray = /^(src|test|train|bench|assembly|build|examples|scripts)\/|\.map$|tsbuildinfo/;
    expect(paths.filter((path) => stray.test(path))).toEqual([]);
  });

  inInstalled("is clean by publint", () => {
    expectGood(inProject("npx", "publint", "run", packed.tarball, "--strict"));
  });

  inInstalled("has the right types by @arethetypeswrong/cli", () => {
    expectGood(inProject("npx", "attw", packed.tarball, "--profile", "esm-only"));
  });
});

describe("in Node", () => {
  inInstalled("every entry point works, and the latent is the golden one", () => {
    expect(JSON.parse(expectGood(inProject("node", "check.mjs")))).toEqual({
      latent: hexOf(golden.latents[2]!),
      sameClass: true,
      sameModel: true,
      kernels: "function",
      broker: "function",
      frame: "function",
      map: 4900,
    });
  });

  inInstalled("in a worker thread too", () => {
    const output = expectGood(inProject("node", "thread.mjs"));
    expect(output.trim()).toBe(hexOf(golden.latents[2]!));
  });

  inInstalled("the command runs", () => {
    expect(expectGood(inProject("npx", "epic", "--help"))).toContain("export-edge");
    const out = join(projectFolder, "edge");
    expectGood(inProject("npx", "epic", "export-edge", out, "--module", "scalar"));
  });

  inInstalled("examples/node-service turns frames into the golden map", async () => {
    copyFileSync(join(root, "examples/node-service/server.mjs"), join(projectFolder, "server.mjs"));
    const child = spawn(process.execPath, ["server.mjs", "--port", "0"], {
      cwd: projectFolder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const url = await new Promise<string>((resolve, reject) => {
        child.once("close", () => reject(new Error("server.mjs ended")));
        child.stdout.on("data", (text) => {
          const found = /http:\S+/.exec(String(text));
          if (found) resolve(found[0]);
        });
      });
      const post = (body: Uint8Array<ArrayBuffer>) =>
        fetch(`${url}/decode`, { method: "POST", body });
      const response = await post(framesOf(golden.latents));
      expect(response.status).toBe(200);
      expect(new Float32Array(await response.arrayBuffer())).toEqual(golden.map);
      const refused = await post(Uint8Array.of(1, 2, 3));
      expect(refused.status).toBe(400);
    } finally {
      child.kill();
    }
  });
});

describe("in TypeScript", () => {
  const ways = {
    nodenext: { module: "nodenext", moduleResolution: "nodenext" },
    bundler: { module: "esnext", moduleResolution: "bundler" },
  };

  for (const [name, options] of Object.entries(ways)) {
    inInstalled(`${name}: the core, without Node's types, its declarations checked`, () => {
      compile("consumer.ts", { ...options, types: [], skipLibCheck: false });
    });
    // Declarations of its dependencies are theirs to answer for.
    inInstalled(`${name}: epic-wasm/mqtt`, () => {
      compile("broker.ts", { ...options, types: ["node"], skipLibCheck: true });
    });
  }
});

/** Type-checks one file of the project, strictly. */
function compile(file: string, options: object): void {
  const strict = { noEmit: true, strict: true, target: "es2022", lib: ["es2023", "dom"] };
  const config = { compilerOptions: { ...strict, ...options }, files: [file] };
  writeFileSync(join(projectFolder, "tsconfig.json"), JSON.stringify(config));
  expectGood(inProject("npx", "tsc", "-p", "tsconfig.json"));
}

describe("in a Vite build", () => {
  inInstalled("an edge-only import brings no broker, no commands, no central code", () => {
    expectGood(inProject("npx", "vite", "build", "edge-only"));
    const assets = join(projectFolder, "edge-only/dist/assets");
    const scripts = readdirSync(assets).filter((name) => name.endsWith(".js"));
    const code = scripts.map((name) => readFileSync(join(assets, name), "utf8")).join("\n");
    expect(code).toContain("input_stage");
    for (const stranger of ["attention_s16", "layer_norm", "aedes", "mqtt", "commander", "node:"]) {
      expect(code).not.toContain(stranger);
    }
    expect(readdirSync(assets).filter((name) => name.startsWith("central"))).toEqual([]);
    reportDownload(assets, scripts);
  });

  inChromium("page and worker find the golden latent", async (chromium) => {
    expectGood(inProject("npx", "vite", "build", "app", "--base", "./"));
    const dist = join(projectFolder, "app/dist");
    writeFileSync(join(dist, "traces.f32"), bytesOf(golden.traces[2]!));
    const { result, requests } = await openPage(chromium, dist);
    const latent = hexOf(golden.latents[2]!);
    expect(result).toBe(JSON.stringify({ here: latent, worker: latent }));
    expect(requests.some((path) => path.includes("central"))).toBe(false);
  });
});

describe("in a page without a bundler", () => {
  inChromium("examples/browser finds a map", async (chromium) => {
    const folder = join(projectFolder, "browser");
    cpSync(join(root, "examples/browser"), folder, { recursive: true });
    for (const name of ["epic-wasm", "@assemblyscript/loader"]) {
      const from = join(projectFolder, "node_modules", name);
      cpSync(from, join(folder, "node_modules", name), { recursive: true });
    }
    const { result } = await openPage(chromium, folder);
    expect(result).toMatch(/^SSIM 0\.\d{4}, mean error [\d.]+ m\/s, \d+ bytes of latents/);
    expect(Number(/SSIM ([\d.]+)/.exec(result)?.[1])).toBeGreaterThan(0.5);
  });
});

function framesOf(latents: readonly Int8Array[]): Uint8Array<ArrayBuffer> {
  const { devices } = golden.geometry;
  const frames = latents.map((latent, device) =>
    encodeFrame({
      encoding: 0,
      modelId: golden.modelId,
      survey: "line-1",
      record: 1n,
      device,
      devices: devices.length,
      ...devices[device]!,
      acquiredNs: 0n,
      latent,
    }),
  );
  return new Uint8Array(Buffer.concat(frames));
}

/** What a browser fetches for an edge device, as brotli: scripts, the one module that it runs, and the weights. */
function reportDownload(assets: string, scripts: readonly string[]): void {
  const weights = readdirSync(assets).filter((name) => /^edge.*\.safetensors$/.test(name));
  const size = (name: string) => brotliCompressSync(readFileSync(join(assets, name))).length;
  const bytesOf = (names: readonly string[]) =>
    names.reduce((sum, name) => sum + sizes[name.split("-")[0]!]!, 0);
  const sizes = Object.fromEntries(
    [...scripts, ...weights].map((name) => [name.split("-")[0]!, size(name)]),
  );
  const modules = scripts.filter((name) => /^edge\.(scalar|simd|relaxed)-/.test(name));
  const rest = bytesOf([...scripts.filter((name) => !modules.includes(name)), ...weights]);
  const totals = Object.fromEntries(
    modules.map((name) => [`total with ${name.split("-")[0]}`, rest + bytesOf([name])]),
  );
  // An engine with relaxed SIMD that emulates its products of bytes times both SIMD modules.
  const both = rest + sizes["edge.simd"]! + sizes["edge.relaxed"]!;
  const report = { ...sizes, ...totals, "total with both SIMD modules": both };
  mkdirSync(join(root, "build/package"), { recursive: true });
  writeFileSync(join(root, "build/package/download.json"), `${JSON.stringify(report, null, 2)}\n`);
  console.log("edge download, bytes as brotli:", report);
  expect(weights).toHaveLength(1);
  expect(modules).toHaveLength(3);
  for (const total of Object.values(totals)) expect(total).toBeLessThan(EDGE_DOWNLOAD_MAX);
}
