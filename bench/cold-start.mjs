// Start-up as an application meets it: a process that runs already imports one half, loads the shipped weights and computes once.
// Its modules have never been loaded; the files are in the system's cache. The clock starts before the import.
//   npm run bench:cold [RUNS]        medians and best over RUNS processes of each half, in turns (default 15)
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const HALVES = {
  edge: async () => {
    const { EdgeEncoder } = await import("../dist/lib/edge.js");
    const encoder = await EdgeEncoder.load();
    const traces = new Float32Array(5 * 1000 * 14);
    return [encoder, () => encoder.encode(traces, { device: 0 })];
  },
  central: async () => {
    const { CentralDecoder } = await import("../dist/lib/central.js");
    const decoder = await CentralDecoder.load();
    const latents = new Int8Array(5 * 1024);
    return [decoder, () => decoder.decode(latents)];
  },
  // This process without either: what memory is counted from.
  neither: async () => [{}, () => {}],
};
const RESULTS = { edge: "first latent", central: "first map" };

if (process.argv[2] === "--child") await child(process.argv[3]);
else parent(Number(process.argv[2] ?? 15));

async function child(half) {
  const start = performance.now();
  const [loaded, compute] = await HALVES[half]();
  const loadedMs = performance.now() - start;
  compute();
  const firstMs = performance.now() - start;
  const rss = process.memoryUsage.rss();
  compute();
  const secondMs = performance.now() - start - firstMs;
  const { module, memoryBytes } = loaded;
  console.log(JSON.stringify({ loadedMs, firstMs, secondMs, module, memoryBytes, rss }));
}

function parent(runs) {
  const results = Object.fromEntries(Object.keys(HALVES).map((half) => [half, []]));
  for (let i = 0; i < runs; i++) {
    for (const half of Object.keys(HALVES)) results[half].push(run(half));
  }
  const bare = median(results.neither.map(({ rss }) => rss));
  for (const [half, what] of Object.entries(RESULTS)) {
    const of = (field) => results[half].map((result) => result[field]);
    const [{ module, memoryBytes }] = results[half];
    console.log(
      `${half}: import to ${what} ${median(of("firstMs")).toFixed(1)} ms (best ${Math.min(...of("firstMs")).toFixed(1)}; ` +
        `loaded after ${median(of("loadedMs")).toFixed(1)}, the second one takes ${median(of("secondMs")).toFixed(2)}), ` +
        `${module} module, ${mebi(memoryBytes)} MiB of wasm memory, ` +
        `RSS ${mebi(median(of("rss")) - bare)} MiB over a bare Node ${process.versions.node}`,
    );
  }
}

function run(half) {
  const self = fileURLToPath(import.meta.url);
  const { stdout, stderr, status } = spawnSync(process.execPath, [self, "--child", half], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

function mebi(bytes) {
  return (bytes / 2 ** 20).toFixed(2);
}

function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1];
}
