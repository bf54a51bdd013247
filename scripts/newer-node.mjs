// Runs a command under a Node that has relaxed SIMD (22 or newer): this one if it is new enough,
// otherwise the binary of the `node` family of npm packages, installed once into build/newer-node.
//
//   node scripts/newer-node.mjs vitest run test/kernels
//   node scripts/newer-node.mjs dist/cli/main.js infer data1.npy --module relaxed
//
// Exits with the command's code; with 69 where there is no such Node and npm could not bring one.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const VERSION = "26.10.0";

const [command, ...rest] = process.argv.slice(2);
if (!command) {
  console.error(
    "newer-node: command: expected a script or the name of a local binary, got nothing",
  );
  process.exit(2);
}
const local = join("node_modules", ".bin", command);
const script = existsSync(local) ? local : command;
const { status, signal } = spawnSync(newerNode(), [script, ...rest], { stdio: "inherit" });
process.exit(signal ? 1 : (status ?? 1));

function newerNode() {
  if (Number(process.versions.node.split(".")[0]) >= 22) return process.execPath;
  const platform = process.platform === "win32" ? "win" : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const folder = join("build", "newer-node");
  const binary = join(
    folder,
    "node_modules",
    name,
    "bin",
    platform === "win" ? "node.exe" : "node",
  );
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
    const options = ["install", "--no-save", "--no-audit", "--no-fund", "--fetch-retries=1"];
    const install = spawnSync("npm", [...options, `${name}@${VERSION}`], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
      timeout: 180_000,
    });
    if (install.status !== 0 || !existsSync(binary)) {
      console.error(`newer-node: ${name}@${VERSION}: npm could not install it`);
      process.exit(69);
    }
  }
  return binary;
}
