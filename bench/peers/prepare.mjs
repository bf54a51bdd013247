/**
 * What the race needs, made once and kept: the engines (bench/peers/node_modules), two Python environments and the models
 * (build/peers/MODEL ID-CENTRAL HASH), from the shipped weights. Whatever cannot be made is left out, with its reason.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const here = fileURLToPath(new URL(".", import.meta.url));
const FAMILIES = ["flatvel", "curvevel", "flatfault", "curvefault", "style"].flatMap((name) => [
  `${name}-a`,
  `${name}-b`,
]);
const CALIBRATION_SEED = 77;
const TEST_SEED = 91;

/**
 * @param say prints one line of progress
 * @returns the models' folder and what is missing: [{ what, why }]
 */
export async function prepare(say) {
  const missing = [];
  const attempt = (what, make) => {
    try {
      make();
    } catch (error) {
      missing.push({ what, why: error.message });
      say(`without ${what}: ${error.message}`);
    }
  };
  const sizes = await readSizes();
  const models = join(root, "build", "peers", `${sizes.modelId}-${centralHash()}`);
  attempt("the engines", () => installEngines(say));
  if (existsSync(join(models, "complete"))) return { models, sizes, missing };
  mkdirSync(models, { recursive: true });
  writeFileSync(join(models, "sizes.json"), JSON.stringify(sizes));
  attempt("the models", () => makeOnnx(models, say));
  attempt("LiteRT.js's models", () => makeTflite(models, say));
  if (missing.length === 0) writeFileSync(join(models, "complete"), "");
  return { models, sizes, missing };
}

/** The model id is the edge half's alone: another central half makes other models. */
function centralHash() {
  const bytes = readFileSync(join(root, "weights/epic-base/central.safetensors"));
  return createHash("sha256").update(bytes).digest("hex").slice(0, 8);
}

async function readSizes() {
  const { EdgeEncoder } = await import("../../dist/edge/index.js");
  const encoder = await EdgeEncoder.load();
  const { geometry, latent, input, edge, central } = encoder.config;
  return {
    modelId: encoder.modelId,
    devices: geometry.devices.length,
    blocks: geometry.devices,
    channels: edge.layers[0].in,
    frames: Math.ceil(geometry.samples / input.decimation),
    tokens: geometry.devices.length * latent.slots,
    latent: latent.channels,
    queries: central.grid[0] * central.grid[1],
    width: central.width,
  };
}

function installEngines(say) {
  if (existsSync(join(here, "node_modules", "onnxruntime-web"))) return;
  say("installing the engines (npm ci, 540 MB unpacked)");
  // onnxruntime-node's install script would fetch GPU binaries.
  call("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], here);
}

function makeOnnx(models, say) {
  const python = pythonEnvironment("onnx", say);
  const records = join(models, "records");
  say("modelling records for calibration and comparison");
  for (const family of FAMILIES) {
    simulate(family, 2, CALIBRATION_SEED, join(records, `cal-${family}`));
    simulate(family, 1, TEST_SEED, join(records, `test-${family}`));
  }
  const weights = join(root, "weights/epic-base");
  const calibration = join(models, "calibration.npy");
  const script = join(here, "models.py");
  say("writing ONNX files");
  call(python, [script, "join", records, "--out", calibration]);
  const exporter = [join(root, "train/onnx_export.py"), weights, "--calibrate", calibration];
  call(python, [...exporter, "--out", join(models, "onnx")]);
  const throughout = ["--ops", "peers", "--first", "u8", "--attention", "u8"];
  call(python, [...exporter, "--out", join(models, "onnx-u8"), ...throughout]);
  call(python, [
    script,
    "inputs",
    weights,
    records,
    "--onnx",
    join(models, "onnx"),
    "--out",
    join(models, "data"),
  ]);
  const infer = [
    "dist/cli/main.js",
    "infer",
    join(models, "data/records.npy"),
    "--module",
    "simd",
    "-o",
    join(models, "ours"),
  ];
  call(process.execPath, infer);
}

function makeTflite(models, say) {
  if (!existsSync(join(models, "data/calibration.npz"))) throw new Error("it needs the ONNX files");
  const python = pythonEnvironment("tflite", say);
  say("writing .tflite files with TensorFlow's converter");
  const weights = join(root, "weights/epic-base");
  call(python, [
    join(here, "tflite.py"),
    weights,
    join(models, "data/calibration.npz"),
    "--out",
    join(models, "tflite"),
  ]);
}

function simulate(family, count, seed, out) {
  const what = ["--family", family, "-n", String(count), "--seed", String(seed)];
  call(process.execPath, [
    "dist/cli/main.js",
    "simulate",
    ...what,
    "--boundary",
    "fast",
    "--threads",
    "1",
    "-o",
    out,
  ]);
}

/** A virtual environment with the packages of requirements-NAME.txt; returns its Python. */
function pythonEnvironment(name, say) {
  const folder = join(root, "build", `peers-python-${name}`);
  const python = join(folder, "bin", "python");
  const requirements = join(here, `requirements-${name}.txt`);
  const stamp = join(folder, "requirements.txt");
  const wanted = readFileSync(requirements, "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return python;
  say(`installing Python packages: ${wanted.trim().split("\n").join(", ")}`);
  rmSync(folder, { recursive: true, force: true });
  call("python3", ["-m", "venv", folder]);
  call(python, ["-m", "pip", "install", "--quiet", "-r", requirements]);
  writeFileSync(`${stamp}.new`, wanted);
  renameSync(`${stamp}.new`, stamp);
  return python;
}

function call(command, args, cwd = root) {
  const { status, error, stderr } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (error) throw new Error(`${command}: ${error.code ?? error.message}`);
  if (status !== 0) throw new Error(`${command} ${args[0]}: ${lastLine(stderr)}`);
}

function lastLine(text) {
  return text.trim().split("\n").at(-1) ?? "failed";
}
