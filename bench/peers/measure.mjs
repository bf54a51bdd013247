/**
 * One contestant in one process: start-up first (import to the first map), then each part warm. Prints one line of JSON.
 *
 *     node bench/peers/measure.mjs ID MODELS [--compare]
 *
 * --compare runs every test record through the whole network once instead and prints how far the maps are from ours.
 */
import { readFileSync } from "node:fs";
import { CONTESTANTS, inputShape, PARTS } from "./contestants.mjs";
import { readNpy } from "./npy.mjs";

const WARMUP_MS = 500;
const MEASURE_MS = 300;
const RUNS_MIN = 8;

const [id, models, mode] = process.argv.slice(2);
const contestant = CONTESTANTS.find((one) => one.id === id);
if (contestant === undefined) throw new Error(`measure: expected a contestant's id, got ${id}`);
const print = (value) => process.stdout.write(`\n@@${JSON.stringify(value)}\n`);
const records = readNpy(`${models}/data/records.npy`);
const sizes = JSON.parse(readFileSync(`${models}/sizes.json`, "utf8"));

if (mode === "--compare") print(await compare());
else print(await race());
process.exit(0);

async function race() {
  const input = inputsOf(0);
  const bareMb = process.resourceUsage().maxRSS / 1024;
  const start = performance.now();
  const engine = await contestant.start();
  const full = await open(engine, "full");
  const ready = performance.now();
  await full(input.full);
  const cold = { readyMs: ready - start, firstMs: performance.now() - ready, bareMb };
  cold.peakMb = process.resourceUsage().maxRSS / 1024;
  const parts = {};
  for (const part of PARTS) {
    const run = part === "full" ? full : await open(engine, part);
    parts[part] = await time(() => run(input[part]));
  }
  return { id, version: engine.version, node: process.versions.node, cold, parts };
}

/** Milliseconds per run, after V8 has had time to put its optimising tier in place. */
async function time(run) {
  const warm = performance.now() + WARMUP_MS;
  while (performance.now() < warm) {
    await run();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const times = [];
  for (let spent = 0; spent < MEASURE_MS || times.length < RUNS_MIN; ) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
    spent += times.at(-1);
  }
  times.sort((a, b) => a - b);
  return {
    medianMs: times[times.length >> 1],
    p10Ms: times[Math.floor(times.length / 10)],
    runs: times.length,
  };
}

function open(engine, part) {
  return contestant.open(engine, part, { models, shape: inputShape(part, sizes) });
}

/** Inputs of every part for one record: raw traces per device for ours, companded traces and float stages for the others. */
function inputsOf(record) {
  if (contestant.kind === "ours") {
    const traces = splitTraces(record);
    return { encoder: traces, full: traces };
  }
  const { devices, channels, frames, tokens, latent, queries, width } = sizes;
  const read = (name, count) => {
    const bytes = readFileSync(`${models}/data/inputs.${name}.f32`);
    return new Float32Array(
      new Uint8Array(bytes.subarray(4 * record * count, 4 * (record + 1) * count)).buffer,
    );
  };
  const x = read("x", devices * channels * frames);
  const full = contestant.channelsLast ? transposed(x, devices, channels, frames) : x;
  return {
    full,
    encoder: full.slice(0, channels * frames),
    central: read("latents", tokens * latent),
    decoder: read("answers", queries * width),
  };
}

function transposed(x, devices, channels, frames) {
  const y = new Float32Array(x.length);
  for (let d = 0; d < devices; d++)
    for (let c = 0; c < channels; c++)
      for (let t = 0; t < frames; t++)
        y[(d * frames + t) * channels + c] = x[(d * channels + c) * frames + t];
  return y;
}

/** [shots][samples][receivers] of a record, cut into the devices' blocks. */
function splitTraces(record) {
  const [, shots, samples, receivers] = records.shape;
  const from = record * shots * samples * receivers;
  return sizes.blocks.map(({ firstReceiver, receivers: own }) => {
    const traces = new Float32Array(shots * samples * own);
    for (let row = 0; row < shots * samples; row++) {
      const at = from + row * receivers + firstReceiver;
      traces.set(records.data.subarray(at, at + own), row * own);
    }
    return traces;
  });
}

async function compare() {
  const engine = await contestant.start();
  const full = await open(engine, "full");
  const truth = readNpy(`${models}/data/truth.npy`);
  const ours = readNpy(`${models}/ours/velocity.npy`);
  const count = truth.data.length / records.shape[0];
  const sums = { fromOurs: 0, squares: 0, largest: 0, fromTruth: 0 };
  for (let record = 0; record < records.shape[0]; record++) {
    const map = await full(inputsOf(record).full);
    if (map.length !== count)
      throw new Error(`${id}: expected a map of ${count} values, got ${map.length}`);
    for (let i = 0; i < count; i++) {
      const difference = Math.abs(map[i] - ours.data[record * count + i]);
      sums.fromOurs += difference;
      sums.squares += difference * difference;
      sums.largest = Math.max(sums.largest, difference);
      sums.fromTruth += Math.abs(map[i] - truth.data[record * count + i]);
    }
  }
  const all = count * records.shape[0];
  return {
    id,
    records: records.shape[0],
    meanMps: sums.fromOurs / all,
    rmsMps: Math.sqrt(sums.squares / all),
    maxMps: sums.largest,
    truthMps: sums.fromTruth / all,
  };
}
