/**
 * The edge module, unchanged, in every WebAssembly host that is here: each must find the golden latents bit for bit. Hosts that run JavaScript
 * modules take the package's edge half, the others the plan that `epic export-edge` writes.
 */
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeFrame } from "../../src/protocol/index.ts";
import { requireBuild } from "../cli/processes.ts";
import { type Found, findPackaged, findProgram, findPython, hostsFolder } from "./findHost.ts";
import { bytesOf, type Golden, hexOf } from "./golden.ts";
import { bundle, jobFolder, prepareJob } from "./job.ts";
import { hostModule, writeScript } from "./spectest.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const runners = fileURLToPath(new URL("runners", import.meta.url));
const hosts = {
  node: { path: process.execPath },
  deno: findPackaged("@deno", process.platform, "deno"),
  bun: findPackaged("@oven", `bun-${process.platform}`, "bin/bun"),
  workerd: findPackaged("@cloudflare", `workerd-${process.platform}`, "bin/workerd"),
  gjs: findProgram("gjs", "gjs"),
  wabt: findProgram("spectest-interp", "wabt"),
  wasmtime: findPython(),
} satisfies Record<string, Found>;
type Host = keyof typeof hosts;

interface Row {
  readonly host: string;
  readonly version: string;
  readonly engine: string;
  readonly runs: string;
  readonly result: string;
}
const table = new Map<Host, Row>();
let job: Golden;

beforeAll(async () => {
  requireBuild();
  job = await prepareJob();
});

afterAll(() => {
  const rows = Object.entries(hosts).map(([host, found]) => {
    const none = { host, version: "", engine: "", runs: "" };
    const reason = "missing" in found ? `skipped: ${found.missing}` : "no result";
    return table.get(host as Host) ?? { ...none, result: reason };
  });
  writeFileSync(join(hostsFolder, "results.json"), `${JSON.stringify(rows, null, 2)}\n`);
  console.table(rows);
});

/** One test of a host that is here; skipped with the reason where it is not. */
function onHost(host: Host, name: string, test: (path: string) => void | Promise<void>): void {
  it(`${host}: ${name}`, async ({ skip }) => {
    const found: Found = hosts[host];
    if ("missing" in found) skip(found.missing);
    else await test(found.path);
  });
}

/** What a runner prints. */
type Results = Record<string, { latents?: string[]; refused?: string }>;

function runRunner(
  path: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Results {
  const all = [...args, jobFolder, String(job.latents.length)];
  const options = { encoding: "utf8", env: { ...process.env, ...env } } as const;
  return JSON.parse(execFileSync(path, all, options));
}

/** Every module that ran found every golden latent, and `required` did run. Says which. */
function checkResults(results: Results, required: readonly string[]): string {
  const golden = job.latents.map(hexOf);
  const words = Object.entries(results).map(([module, { latents, refused }]) => {
    if (latents === undefined) {
      expect(required, refused).not.toContain(module);
      return `${module} refused (${refused})`;
    }
    expect(latents).toEqual(golden);
    return `${module} equal`;
  });
  for (const module of required) expect(Object.keys(results)).toContain(module);
  return words.join(", ");
}

function versionOf(path: string, ...args: string[]): string {
  return execFileSync(path, args, { encoding: "utf8" }).trim().split("\n")[0]!;
}

describe("hosts with JavaScript modules run the package's edge half", () => {
  const script = join(runners, "encode.mjs");
  const required = ["scalar", "simd"];

  onHost("node", "all devices", (path) => {
    const result = checkResults(runRunner(path, [script]), required);
    table.set("node", { ...row("node", versionOf(path, "-v"), "V8", "library"), result });
  });

  onHost("deno", "all devices", (path) => {
    const env = { DENO_NO_UPDATE_CHECK: "1", DENO_DIR: join(hostsFolder, "deno-cache") };
    const args = ["run", "--no-config", "--allow-read", script];
    const result = checkResults(runRunner(path, args, env), required);
    table.set("deno", { ...row("deno", versionOf(path, "-V"), "V8", "library"), result });
  });

  onHost("bun", "all devices", (path) => {
    const result = checkResults(runRunner(path, ["run", script]), required);
    const version = versionOf(path, "-v");
    table.set("bun", { ...row("bun", version, "JavaScriptCore", "library"), result });
  });

  onHost("workerd", "examples/worker answers with a frame of every device", async (path) => {
    await prepareWorker();
    const served = await serveWorker(path);
    try {
      for (const [device, traces] of job.traces.entries()) {
        const url = `${served.url}/?device=${device}&record=7`;
        const response = await fetch(url, { method: "POST", body: bytesOf(traces).slice() });
        const body = new Uint8Array(await response.arrayBuffer());
        expect(response.status, new TextDecoder().decode(body)).toBe(200);
        const frame = decodeFrame(body);
        expect(frame).toMatchObject({ device, record: 7n, modelId: job.modelId });
        expect(frame.latent).toEqual(job.latents[device]);
      }
      const short = await fetch(`${served.url}/?device=0`, { method: "POST", body: "1234" });
      expect(short.status).toBe(400);
      expect(await short.text()).toMatch(/^traces: expected/);
    } finally {
      await served.stop();
    }
    const version = versionOf(path, "--version");
    const result = "simd equal, compiled by the host";
    table.set("workerd", { ...row("workerd", version, "V8", "examples/worker"), result });
  });
});

describe("other hosts run the plan", () => {
  onHost("gjs", "all devices", (path) => {
    const results = runRunner(path, ["-m", join(runners, "plan.gjs.js")]);
    const result = checkResults(results, ["scalar", "simd"]);
    table.set("gjs", {
      ...row("gjs", versionOf(path, "--version"), "SpiderMonkey", "plan"),
      result,
    });
  });

  onHost("wasmtime", "all devices", (path) => {
    const results = runRunner(path, [join(runners, "plan_wasmtime.py")]);
    const result = checkResults(results, ["scalar", "simd"]);
    const version = versionOf(
      path,
      "-c",
      'from importlib.metadata import version; print(version("wasmtime"))',
    );
    const runs = "plan, examples/python-device";
    table.set("wasmtime", { ...row("wasmtime", version, "Cranelift", runs), result });
  });

  onHost("wasmtime", "examples/python-device writes a frame that central takes", (path) => {
    const script = join(root, "examples/python-device/device.py");
    const out = join(jobFolder, "latent.epic");
    const record = join(jobFolder, "traces-2.npy");
    execFileSync(path, [script, join(jobFolder, "simd"), record, "2", out]);
    const frame = decodeFrame(new Uint8Array(readFileSync(out)));
    expect(frame).toMatchObject({ device: 2, devices: job.latents.length, modelId: job.modelId });
    expect(frame.latent).toEqual(job.latents[2]);
    const lines = readFileSync(script, "utf8").trimEnd().split("\n");
    expect(lines.length).toBeLessThan(60);
  });

  // The relaxed module is not asked for: this interpreter numbers its instructions otherwise.
  onHost("wabt", "all devices, scalar module", (path) => {
    const folder = join(jobFolder, "scalar");
    const text = join(folder, "host.wat");
    const script = join(folder, "host.json");
    const interpret = () => execFileSync(path, [script], { encoding: "utf8", stdio: "pipe" });
    for (const [device, traces] of job.traces.entries()) {
      writeFileSync(text, hostModule(folder, traces));
      execFileSync("wat2wasm", [text, "-o", join(folder, "host.wasm")]);
      const count = writeScript(script, "edge.wasm", "host.wasm", job.latents[device]!);
      expect(interpret(), `device ${device}`).toContain(`${count}/${count} tests passed`);
    }
    // The script can fail: one wrong bit in what is expected of the last device.
    const wrong = job.latents.at(-1)!.slice();
    wrong[5]! ^= 1;
    writeScript(script, "edge.wasm", "host.wasm", wrong);
    expect(interpret).toThrow();
    const version = versionOf(path, "--version");
    table.set("wabt", {
      ...row("wabt", version, "interpreter", "plan"),
      result: "scalar equal",
    });
  });
});

function row(host: string, version: string, engine: string, runs: string): Omit<Row, "result"> {
  return { host, version, engine, runs };
}

const workerFolder = join(jobFolder, "worker");

/** examples/worker with the package bundled in, beside the files that config.capnp embeds. */
async function prepareWorker(): Promise<void> {
  mkdirSync(workerFolder, { recursive: true });
  await bundle(join(root, "examples/worker/worker.js"), "device", workerFolder);
  copyFileSync(join(root, "examples/worker/config.capnp"), join(workerFolder, "config.capnp"));
  copyFileSync(join(root, "dist/wasm/edge.simd.wasm"), join(workerFolder, "edge.simd.wasm"));
  copyFileSync(join(jobFolder, "edge.safetensors"), join(workerFolder, "edge.safetensors"));
}

/** workerd on any free port, which it reports on its control descriptor. */
async function serveWorker(path: string) {
  const args = ["serve", "config.capnp", "--socket-addr=http=127.0.0.1:0", "--control-fd=3"];
  const child = spawn(path, args, {
    cwd: workerFolder,
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr!.on("data", (chunk) => {
    errors += chunk;
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    let text = "";
    child.stdio[3]!.on("data", (chunk) => {
      text += chunk;
      const line = text.split("\n").find((part) => part.includes('"listen"'));
      if (line) resolve(JSON.parse(line).port);
    });
    child.once("close", () => reject(new Error(`workerd ended: ${errors}`)));
  });
  const stop = async () => {
    child.kill();
    await ended;
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}
