/** Finds records and their true maps in a folder, by OpenFWI's file names. */
import { readdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { withoutRecordEnding } from "../io/records.ts";

/** One data file and its maps. */
export interface FilePair {
  readonly data: string;
  readonly model: string;
}

/** Pairs that are scored together. */
export interface EvalSet {
  /** Name of the folder that holds them. */
  readonly name: string;
  readonly pairs: readonly FilePair[];
}

/**
 * All sets under `folder`, by name: `data1.npy` with `model1.npy` (Vel and Style), `seis2_1_0.npy`
 * with `vel2_1_0.npy` (Fault), side by side or in sibling folders `data/` and `model/`.
 * Throws an Error when there are none, or when one half of a pair is missing.
 */
export async function findEvalSets(folder: string): Promise<EvalSet[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries
    .filter((entry) => entry.isFile() && withoutRecordEnding(entry.name) !== undefined)
    .map((entry) => join(entry.parentPath, entry.name));
  const known = new Set(files);
  const sets = new Map<string, FilePair[]>();
  for (const data of files.sort(byNumber)) {
    const model = modelNameOf(basename(data));
    if (model === undefined) continue;
    const own = dirname(data);
    const candidates = [join(own, model), join(dirname(own), "model", model)];
    const found = candidates.find((path) => known.has(path));
    if (found === undefined) throw new Error(`${data}: expected its maps in ${model}, got no file`);
    const home = basename(own) === "data" ? dirname(own) : own;
    const name = basename(resolve(home));
    sets.set(name, [...(sets.get(name) ?? []), { data, model: found }]);
  }
  if (sets.size === 0) {
    throw new Error(`${folder}: expected data*.npy and model*.npy, got none`);
  }
  return Array.from(sets, ([name, pairs]) => ({ name, pairs }));
}

/** `model7.npy` for `data7.npy`, `vel2_1_0.npy` for `seis2_1_0.npy`; undefined for other names. */
function modelNameOf(name: string): string | undefined {
  const match = /^(data|seis)(.*)$/.exec(name);
  if (!match) return undefined;
  return `${match[1] === "data" ? "model" : "vel"}${match[2]}`;
}

/** data2 before data10. */
function byNumber(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
