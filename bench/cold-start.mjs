// Start-up as a user meets it: a fresh process imports one half, loads the shipped weights and computes once.
//   npm run bench:cold [RUNS]        medians over RUNS processes (default 9)
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const CHILD = {
  edge: `
    const start = performance.now();
    const { EdgeEncoder } = await import("../dist/lib/edge.js");
    const encoder = await EdgeEncoder.load();
    encoder.encode(new Float32Array(5 * 1000 * 14), { device: 0 });
    report(start, encoder);`,
  central: `
    const start = performance.now();
    const { CentralDecoder } = await import("../dist/lib/central.js");
    const decoder = await CentralDecoder.load();
    decoder.decode(new Int8Array(5 * 1024));
    report(start, decoder);`,
};
const REPORT = `
  function report(start, half) {
    const ms = performance.now() - start;
    console.log(JSON.stringify({ ms, module: half.module, memoryBytes: half.memoryBytes, rss: process.memoryUsage.rss() }));
  }`;

const runs = Number(process.argv[2] ?? 9);
const bare = median(
  Array.from(
    { length: runs },
    () => child("console.log(JSON.stringify({ rss: process.memoryUsage.rss() }))").rss,
  ),
);
for (const [half, source] of Object.entries(CHILD)) {
  const results = Array.from({ length: runs }, () => child(REPORT + source));
  const what = half === "edge" ? "first latent" : "first map";
  const ms = median(results.map((result) => result.ms));
  const rss = (median(results.map((result) => result.rss)) - bare) / 2 ** 20;
  const { module, memoryBytes } = results[0];
  console.log(
    `${half}: import to ${what} ${ms.toFixed(1)} ms, ${module} module, ${(memoryBytes / 2 ** 20).toFixed(2)} MiB of wasm memory, ` +
      `RSS ${rss.toFixed(1)} MiB over a bare Node ${process.versions.node}`,
  );
}

function child(source) {
  const cwd = fileURLToPath(new URL(".", import.meta.url));
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--input-type=module", "-e", source],
    { cwd, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1];
}
