import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What `node ARGS...` prints, run in the repository's root; its errors pass through, and where it fails, this process ends as it did. */
export function runNode(...args) {
  const { status, stdout } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) process.exit(status ?? 1);
  return stdout;
}

/** The document that `epic ARGS... --json` prints. */
export function runEpic(...args) {
  return JSON.parse(runNode("dist/cli/main.js", ...args, "--json"));
}
