/** Where the hosts are, or why they are not. */
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const hostsFolder = fileURLToPath(new URL("../../build/hosts", import.meta.url));

export type Found = { readonly path: string } | { readonly missing: string };

/** A binary of an npm package: its platform's own package holds it, at `inside`. */
export function findPackaged(scope: string, prefix: string, inside: string): Found {
  const folder = join(hostsFolder, "node_modules", scope);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const paths = names
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(folder, name, inside));
  const path = paths.find(isExecutable);
  return path ? { path } : { missing: `no ${inside} in ${folder}: node scripts/hosts.mjs` };
}

/** The Python of the hosts' virtual environment. */
export function findPython(): Found {
  const path = join(hostsFolder, "venv", "bin", "python");
  const ready =
    existsSync(path) &&
    readdirSync(join(hostsFolder, "venv")).some((name) => name.startsWith("wasmtime-"));
  return ready
    ? { path }
    : { missing: `no wasmtime in ${hostsFolder}/venv: node scripts/hosts.mjs` };
}

/** A program of the system. */
export function findProgram(name: string, debianPackage: string): Found {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const path = folders.map((folder) => join(folder, name)).find(isExecutable);
  return path ? { path } : { missing: `no ${name}: apt-get install ${debianPackage}` };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
