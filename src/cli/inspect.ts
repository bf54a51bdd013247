/** `epic inspect`: what a file is and holds, in words. */
import { open, stat } from "node:fs/promises";
import { Command } from "commander";
import { isSegyName } from "../io/records.ts";
import { action, addJsonOption, type JsonOptions, printJson } from "./common.ts";
import type { Description } from "./description.ts";
import { describeFrame } from "./inspectFrame.ts";
import { describeModel } from "./inspectModel.ts";
import { describeNpy, describeNpz } from "./inspectNpy.ts";
import { describeSegy } from "./inspectSegy.ts";
import { describeWasm } from "./inspectWasm.ts";

interface Kind {
  readonly name: string;
  matches(start: Uint8Array, path: string): boolean;
  describe(path: string): Promise<Description>;
}

const kinds: readonly Kind[] = [
  // First, for it has no magic number and its text may look like anything.
  { name: "segy", matches: (_, path) => isSegyName(path), describe: describeSegy },
  { name: "npy", matches: startsWith("\u0093NUMPY"), describe: describeNpy },
  { name: "npz", matches: startsWith("PK\u0003\u0004"), describe: describeNpz },
  { name: "wasm", matches: startsWith("\0asm"), describe: describeWasm },
  { name: "frame", matches: startsWith("EPIC"), describe: describeFrame },
  // Eight bytes of header length, then JSON.
  { name: "model", matches: (start) => start[8] === 0x7b, describe: describeModel },
];

export function inspectCommand(): Command {
  const command = new Command("inspect")
    .description(
      "Describe a model half (.safetensors), latent frame, wasm module, npy, npz or SEG-Y file.",
    )
    .argument("<file>", "any of these; told apart by their first bytes, SEG-Y by its name");
  return addJsonOption(command).action(action(inspect));
}

async function inspect(path: string, options: JsonOptions): Promise<void> {
  const start = await readStart(path);
  const kind = kinds.find((candidate) => candidate.matches(start, path));
  if (!kind) {
    const came = start.length === 0 ? "an empty file" : "something else";
    throw new Error(
      `${path}: expected a model, frame, wasm module, npy, npz or SEG-Y file, got ${came}`,
    );
  }
  const { text, fields } = await kind.describe(path);
  if (options.json) printJson({ kind: kind.name, file: path, ...fields });
  else process.stdout.write(`${text}\n`);
}

async function readStart(path: string): Promise<Uint8Array> {
  if ((await stat(path)).isDirectory()) throw new Error(`${path}: expected a file, got a folder`);
  const file = await open(path, "r");
  try {
    const start = new Uint8Array(16);
    const { bytesRead } = await file.read(start, 0, start.length, 0);
    return start.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** `prefix`: one character per byte. */
function startsWith(prefix: string): (start: Uint8Array) => boolean {
  return (start) =>
    Array.from(prefix).every((character, i) => start[i] === character.charCodeAt(0));
}
