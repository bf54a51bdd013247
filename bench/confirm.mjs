// Confirms the headline ratios with `benchmark`, a second harness that shares no code with the first (tinybench):
// encoder, central and decoder of the shipped model, each module against scalar.
//   npm run bench:confirm            exits 1 where the two harnesses differ by more than a quarter
import benchmark from "benchmark";
import { CentralDecoder, EdgeEncoder } from "../dist/index.js";
import { loadModel } from "../dist/io/modelFiles.js";
import { benchStages } from "../dist/testbed/bench/benchStages.js";

const STAGES = ["encoder", "central", "decoder"];
const TOLERANCE = 0.25;

const model = await loadModel();
const modules = await supportedModules();
const first = await benchStages(model, STAGES, modules, { rounds: 5, taskMs: 60 });
let differing = 0;
console.log("stage    module   tinybench        benchmark.js            against scalar");
for (const stage of STAGES) {
  const second = await measure(stage);
  const base = { first: medianOf(stage, "scalar"), second: second.get("scalar").ms };
  for (const module of modules) {
    const mine = medianOf(stage, module);
    const { ms, rme } = second.get(module);
    const ratios = [base.first / mine, base.second / ms];
    const differs = Math.abs(ratios[0] / ratios[1] - 1) > TOLERANCE;
    if (differs) differing++;
    console.log(
      `${stage.padEnd(8)} ${module.padEnd(8)} ${mine.toFixed(4)} ms        ${ms.toFixed(4)} ms ±${rme.toFixed(1)} %   ` +
        `${ratios[0].toFixed(2)}x and ${ratios[1].toFixed(2)}x${differs ? "  DIFFER" : ""}`,
    );
  }
}
process.exit(differing > 0 ? 1 : 0);

function medianOf(stage, module) {
  return first.find((row) => row.name === stage && row.module === module).medianMs;
}

/** Milliseconds per run of one stage in every module, by benchmark.js. */
async function measure(stage) {
  const suite = new benchmark.Suite();
  const loaded = [];
  for (const module of modules) {
    const side = stage === "encoder" ? EdgeEncoder : CentralDecoder;
    const weights = stage === "encoder" ? model.edge : model.central;
    const instance = await side.load({ weights, module });
    loaded.push(instance);
    suite.add(module, runnerOf(instance, stage), { maxTime: 1 });
  }
  suite.run({ async: false });
  const times = new Map();
  suite.forEach((bench) => {
    if (bench.error) throw bench.error;
    times.set(bench.name, { ms: bench.stats.mean * 1000, rme: bench.stats.rme });
  });
  for (const instance of loaded) instance.dispose();
  return times;
}

function runnerOf(instance, stage) {
  const { geometry, latent } = instance.config;
  if (stage === "encoder") {
    const traces = new Float32Array(
      geometry.shots * geometry.samples * geometry.devices[0].receivers,
    );
    for (let i = 0; i < traces.length; i++) traces[i] = Math.sin(i);
    return () => instance.encode(traces, { device: 0 });
  }
  instance.decode(new Int8Array(geometry.devices.length * latent.slots * latent.channels).fill(5));
  return instance.stages.find(({ name }) => name === stage).run;
}

async function supportedModules() {
  const supported = [];
  for (const module of ["scalar", "simd", "relaxed"]) {
    try {
      (await EdgeEncoder.load({ weights: model.edge, module })).dispose();
      supported.push(module);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return supported;
}
