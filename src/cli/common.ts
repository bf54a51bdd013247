/** What every command shares: options, errors, exit codes, progress, JSON. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { SingleBar } from "cli-progress";
import { type Command, Option } from "commander";
import { enableTurbo } from "../io/turbo.ts";

/** The command line itself is wrong: exit code 2. */
export class MisuseError extends Error {
  override readonly name = "MisuseError";
}

export type ModuleName = "scalar" | "simd" | "relaxed";

export interface JsonOptions {
  json?: boolean;
}

/** What addComputeOptions adds. */
export interface ComputeOptions {
  /** Folder with edge.safetensors and central.safetensors; the shipped model when absent. */
  model?: string;
  /** The best this engine can run when absent. */
  module?: ModuleName;
  turbo?: boolean;
  /** Workers; 1 runs in this thread. */
  threads: number;
}

export function addJsonOption(command: Command): Command {
  return command.option("--json", "one JSON document on stdout and nothing else there");
}

/** `threads`: the default number of workers. */
export function addComputeOptions(command: Command, threads = 1): Command {
  return command
    .option("--model <dir>", "model folder (default: the shipped weights/epic-base)")
    .addOption(
      new Option(
        "--module <name>",
        "WebAssembly module (default: the best that runs here)",
      ).choices(["scalar", "simd", "relaxed"]),
    )
    .option("--turbo", "let V8 use 256-bit vectors (Node 24 and later); same bits, less time")
    .option("--threads <n>", "worker threads", parseIntOption("--threads", 1, 256), threads);
}

/** What addCheckOptions adds. */
export interface CheckFlags {
  check?: boolean;
  checkBoundary?: "openfwi" | "fast";
}

/** Files in OpenFWI's layout, simulate's among them, are made with this one (docs/trust.md). */
export const defaultCheckBoundary = "openfwi";

/** `figures`: what the command computes with --check. */
export function addCheckOptions(command: Command, figures: string): Command {
  return command
    .option("--check", `${figures} of each predicted map: costs one forward modelling per record`)
    .addOption(
      new Option(
        "--check-boundary <name>",
        "how --check models the predicted maps: as the records were made (default: openfwi)",
      ).choices(["openfwi", "fast"]),
    );
}

/** Parser of a whole-number option. Throws MisuseError outside [min, max]. */
export function parseIntOption(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text.trim()) || value < min || value > max) {
      throw new MisuseError(`${name}: expected a whole number ${min} to ${max}, got "${text}"`);
    }
    return value;
  };
}

/**
 * Wraps a command's handler: whatever it throws becomes one line on stderr and an exit code.
 * The arguments are commander's: positional arguments, options, the command.
 */
export function action<Args extends unknown[]>(
  handler: (...args: Args) => void | Promise<void>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    try {
      await handler(...args);
    } catch (error) {
      fail(error);
    }
  };
}

/** One line on stderr, and the exit code: 2 for misuse, 1 for the rest. */
export function fail(error: unknown): void {
  process.stderr.write(`epic: ${describeError(error)}\n`);
  if (process.env.EPIC_DEBUG === "1" && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`);
  }
  process.exitCode = error instanceof MisuseError ? 2 : 1;
  // A handle that the failed command left open (a socket, a worker) must not keep us alive.
  setTimeout(() => process.exit(), 1000).unref();
}

/** Acts on --turbo before any module is compiled; says so on stderr where it cannot. */
export function prepareTurbo({ turbo }: Pick<ComputeOptions, "turbo">): void {
  const refusal = turbo ? enableTurbo() : undefined;
  if (refusal !== undefined) process.stderr.write(`epic: ${refusal}\n`);
}

/**
 * Checks that `folder`, or the nearest one above it that exists, can be written, so that a long run
 * does not fail at its end. Throws MisuseError.
 */
export async function checkOutputFolder(folder: string): Promise<void> {
  let place = resolve(folder);
  for (;;) {
    const status = await stat(place).catch(() => undefined);
    if (status?.isDirectory()) break;
    if (status) throw new MisuseError(`${place}: expected a folder, got a file`);
    place = dirname(place);
  }
  await access(place, constants.W_OK).catch(() => {
    throw new MisuseError(`${folder}: expected a folder that can be written, got no permission`);
  });
}

/** One document on stdout. */
export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

export interface Progress {
  advance(steps?: number): void;
  stop(): void;
}

/** A bar on stderr while it is a terminal; otherwise silent. */
export function progressBar(total: number, label: string): Progress {
  if (!process.stderr.isTTY) return { advance() {}, stop() {} };
  const bar = new SingleBar({
    format: `${label} {bar} {value}/{total} {eta_formatted}`,
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
  });
  bar.start(total, 0);
  return {
    advance: (steps = 1) => bar.increment(steps),
    stop: () => bar.stop(),
  };
}

/** One line, in the user's words. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return oneLine(String(error));
  const system = describeSystemError(error);
  if (system) return system;
  if (isOwnBug(error)) {
    return `internal error: ${oneLine(error.message)} (EPIC_DEBUG=1 shows where)`;
  }
  return oneLine(error.message);
}

const systemErrors: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EROFS: "read-only file system",
  EISDIR: "expected a file, got a folder",
  ENOTDIR: "expected a folder, got a file",
  EEXIST: "exists already",
  ENOTEMPTY: "folder is not empty",
  ENOSPC: "no space left on the device",
  EMFILE: "too many open files",
};

function describeSystemError(error: NodeJS.ErrnoException): string | undefined {
  const words = error.code === undefined ? undefined : systemErrors[error.code];
  if (words === undefined || error.path === undefined) return undefined;
  return `${error.path}: ${words}`;
}

/** Errors of the language, unless their text starts with "argument: " as public functions' do. */
function isOwnBug(error: Error): boolean {
  const language = ["TypeError", "RangeError", "ReferenceError", "SyntaxError"];
  return language.includes(error.name) && !/^(?!Invalid )[\w./ -]+: /.test(error.message);
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, " ");
}
