// Runs the benchmark files of bench/kernels whose name holds one of the arguments (all without):
//   npm run bench -- [NAME...] [--json] [--module NAME] [--rounds N] [--ms N]
// TypeScript is loaded through vite, which vitest brings along, so it runs on Node 20 as it stands.
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createServer } from "vite";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    module: { type: "string", multiple: true },
    rounds: { type: "string" },
    ms: { type: "string" },
  },
});
const options = {
  ...(values.module && { modules: values.module }),
  ...(values.rounds && { rounds: Number(values.rounds) }),
  ...(values.ms && { taskMs: Number(values.ms) }),
};

const root = fileURLToPath(new URL("..", import.meta.url));
const files = readdirSync(`${root}/bench/kernels`)
  .filter((file) => file.endsWith(".bench.ts"))
  .filter((file) => positionals.length === 0 || positionals.some((part) => file.includes(part)));
if (files.length === 0) {
  console.error(`bench: expected part of a file name in bench/kernels, got ${positionals}`);
  process.exit(2);
}

const vite = await createServer({
  root,
  configFile: false,
  logLevel: "error",
  appType: "custom",
  server: { middlewareMode: true, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
});
try {
  const { machine, table } = await vite.ssrLoadModule("/bench/harness.ts");
  const results = [];
  if (!values.json) console.log(JSON.stringify(machine()));
  for (const file of files) {
    const { default: bench } = await vite.ssrLoadModule(`/bench/kernels/${file}`);
    const rows = await bench(options);
    results.push(...rows);
    if (!values.json) console.log(`\n${file}: equal\n${table(rows)}`);
  }
  if (values.json) console.log(JSON.stringify({ machine: machine(), results }, null, 2));
} finally {
  await vite.close();
}
