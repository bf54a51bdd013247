// Brings the WebAssembly hosts of `npm run test:hosts` into build/hosts: Deno, Bun and workerd from npm, wasmtime from PyPI. What cannot be
// had is said and left out; the tests then skip it. SpiderMonkey (gjs) and wabt come from the system: apt-get install gjs wabt.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const folder = "build/hosts";
const packages = { deno: "2.9.6", bun: "1.4.5", workerd: "1.20261117.1" };
const wasmtime = "50.0.1";

/** A host that takes longer to come than this is left out. */
const installMsMax = 120_000;

mkdirSync(folder, { recursive: true });
writeFileSync(`${folder}/package.json`, '{ "private": true }\n');
for (const [name, version] of Object.entries(packages)) {
  if (installed(name) === version) continue;
  // Their install scripts only link the binary, which the tests find by itself.
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--fetch-retries=1"];
  attempt(name, "npm", ["install", "--prefix", folder, ...flags, ...wanted(name)]);
}
const python = `${folder}/venv/bin/python`;
if (!existsSync(`${folder}/venv/wasmtime-${wasmtime}`)) {
  const made = attempt("wasmtime", "python3", ["-m", "venv", `${folder}/venv`]);
  const pip = ["-m", "pip", "install", "--quiet", "--retries=1", `wasmtime==${wasmtime}`];
  if (made && attempt("wasmtime", python, pip)) {
    writeFileSync(`${folder}/venv/wasmtime-${wasmtime}`, "");
  }
}

/** With --no-save, npm drops what it is not told of: the ones there already are named again. */
function wanted(name) {
  return Object.keys(packages)
    .filter((other) => other === name || installed(other) === packages[other])
    .map((other) => `${other}@${packages[other]}`);
}

function installed(name) {
  const manifest = `${folder}/node_modules/${name}/package.json`;
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")).version : undefined;
}

function attempt(host, command, args) {
  console.log(`hosts: ${command} ${args.join(" ")}`);
  const options = { encoding: "utf8", timeout: installMsMax };
  const { status, stderr, error } = spawnSync(command, args, options);
  if (status === 0) return true;
  const reason = (error?.message ?? stderr).trim().split("\n").at(-1);
  console.log(`hosts: going on without ${host}: ${reason}`);
  return false;
}
