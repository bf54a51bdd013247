/** What the user has chosen, and its form in the address: #family=style-a&seed=7&off=2,4 */
import { FAMILIES, type FamilyName } from "../../src/physics/index.ts";
import { Encoding, type LatentEncoding } from "../../src/protocol/index.ts";
import { LINKS, type LinkProfile } from "./links.ts";

export interface Settings {
  readonly family: FamilyName;
  readonly seed: number;
  /** From 0. */
  readonly shot: number;
  /** Of the record's RMS amplitude, %. */
  readonly noisePercent: number;
  readonly encoding: LatentEncoding;
  /** Devices that are switched off, from 0. */
  readonly off: readonly number[];
  readonly link: LinkProfile;
}

export const SEED_MAX = 2 ** 32 - 1;
export const NOISE_PERCENT_MAX = 20;

export const DEFAULTS: Settings = {
  family: "curvevel-a",
  seed: 7,
  shot: 2,
  noisePercent: 0,
  encoding: Encoding.int8,
  off: [],
  link: LINKS.find(({ name }) => name === "4g")!,
};

/** Settings of an address; what it does not say, or says wrongly, is as by default. */
export function parseHash(hash: string, shots: number, devices: number): Settings {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const integer = (name: string, low: number, high: number, fallback: number) => {
    const text = fields.get(name) ?? "";
    const value = Number(text);
    return /^\d+$/.test(text) && value >= low && value <= high ? value : fallback;
  };
  const off = (fields.get("off") ?? "")
    .split(",")
    .map((text) => Number(text) - 1)
    .filter((device) => Number.isInteger(device) && device >= 0 && device < devices);
  return {
    family: FAMILIES.find((name) => name === fields.get("family")) ?? DEFAULTS.family,
    seed: integer("seed", 0, SEED_MAX, DEFAULTS.seed),
    shot: integer("shot", 1, shots, Math.min(DEFAULTS.shot, shots - 1) + 1) - 1,
    noisePercent: integer("noise", 0, NOISE_PERCENT_MAX, DEFAULTS.noisePercent),
    encoding: fields.get("bits") === "4" ? Encoding.nibble : DEFAULTS.encoding,
    off: [...new Set(off)].sort((a, b) => a - b),
    link: LINKS.find(({ name }) => name === fields.get("link")) ?? DEFAULTS.link,
  };
}

/** The address of settings; what is as by default is left out, but for family and seed. */
export function formatHash(settings: Settings): string {
  const { family, seed, shot, noisePercent, encoding, off, link } = settings;
  const fields = [`family=${family}`, `seed=${seed}`];
  if (shot !== DEFAULTS.shot) fields.push(`shot=${shot + 1}`);
  if (noisePercent !== DEFAULTS.noisePercent) fields.push(`noise=${noisePercent}`);
  if (encoding === Encoding.nibble) fields.push("bits=4");
  if (off.length > 0) fields.push(`off=${off.map((device) => device + 1).join(",")}`);
  if (link !== DEFAULTS.link) fields.push(`link=${link.name}`);
  return `#${fields.join("&")}`;
}
