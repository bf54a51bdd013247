/** The package as its users get it: packed, and installed from the tarball into an empty project. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const home = join(root, "build", "package");
export const projectFolder = join(home, "project");

export interface Packed {
  readonly tarball: string;
  /** Bytes of the tarball. */
  readonly size: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** Packs what `npm run build` left, without building again. */
export function pack(): Packed {
  mkdirSync(home, { recursive: true });
  const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", home];
  const [packed] = JSON.parse(execFileSync("npm", args, { cwd: root, encoding: "utf8" }));
  return { tarball: join(home, packed.filename), size: packed.size, files: packed.files };
}

/** Checkers and compilers of the project, in the versions this package is developed with. */
const TOOLS = {
  "@arethetypeswrong/cli": "0.18.5",
  publint: "0.3.25",
  ...ownVersions("@types/node", "typescript", "vite"),
};

function ownVersions(...names: string[]): Record<string, string> {
  const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return Object.fromEntries(names.map((name) => [name, devDependencies[name]]));
}

/**
 * An empty project with the tarball installed and the files of test/package/project.
 * @returns why the registry did not give what it takes, in one line
 * @throws when npm fails for another reason
 */
export function installInto(tarball: string): string | undefined {
  mkdirSync(projectFolder, { recursive: true });
  // What an earlier run installed under the same version is another package.
  rmSync(join(projectFolder, "node_modules/epic-wasm"), { recursive: true, force: true });
  rmSync(join(projectFolder, "node_modules/.package-lock.json"), { force: true });
  cpSync(join(root, "test/package/project"), projectFolder, { recursive: true });
  const manifest = {
    private: true,
    type: "module",
    dependencies: { "epic-wasm": `file:${tarball}` },
    devDependencies: TOOLS,
  };
  writeFileSync(join(projectFolder, "package.json"), JSON.stringify(manifest, null, 2));
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
  try {
    const options = { cwd: projectFolder, stdio: "pipe", encoding: "utf8" } as const;
    execFileSync("npm", ["install", "--prefer-offline", "--fetch-retries=1", ...flags], options);
    return undefined;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    if (stderr === undefined || !NOT_REACHED.test(stderr)) throw error;
    return `npm install: ${stderr.trim().split("\n")[0]}`;
  }
}

/** What npm says of a registry that is away or refuses. Anything else is this package's fault. */
const NOT_REACHED =
  /code (E(AI_AGAIN|401|403|407|429|5\d\d|CONNRE\w+|HOSTUNREACH|NETUNREACH|NOTFOUND|PROTO|TIMEDOUT)|ERR_SOCKET_TIMEOUT|FETCH_ERROR)\b/;

/** Runs a program in the project; its output, also when it fails. */
export function inProject(command: string, ...args: string[]): { code: number; output: string } {
  try {
    const options = { cwd: projectFolder, stdio: "pipe", encoding: "utf8" } as const;
    return { code: 0, output: execFileSync(command, args, options) };
  } catch (error) {
    const { status, stdout, stderr } = error as {
      status: number;
      stdout: string;
      stderr: string;
    };
    return { code: status, output: `${stdout}${stderr}` };
  }
}
