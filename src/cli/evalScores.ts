/** What `epic eval` says of a set of records, from what it found for each of them. */
import {
  type MapScore,
  type ReliabilityBin,
  reliabilityCurve,
  scoreMap,
  spearman,
} from "../metrics/index.ts";
import type { Boundary } from "../physics/index.ts";
import type { InferReply, Trust } from "./runners.ts";
import { ScoreSum, type SetScore } from "./scores.ts";

/** One record. */
export interface RecordScore {
  readonly score: MapScore;
  readonly trust: Trust | undefined;
  readonly variants: readonly VariantScore[];
}

interface VariantScore {
  readonly name: string;
  readonly missing: readonly number[];
  readonly score: MapScore;
}

/** Figures of a set under worse conditions (src/cli/variants.ts). */
export interface VariantSet extends SetScore {
  /** Of `missing1`: the device whose loss costs most SSIM, and the SSIM without it. */
  readonly worst?: { readonly device: number; readonly ssim: number };
}

/** One family or folder. */
export interface SetResult extends SetScore {
  /** With --check: means of the misfits and how well each ranks the records by their true MAE. */
  readonly latentMisfit?: number;
  readonly dataMisfit?: number;
  readonly spearman?: RankCorrelation;
  readonly variants?: Readonly<Record<string, VariantSet>>;
}

/** Spearman's rank correlation with the true MAE; null for fewer than two different records. */
export type RankCorrelation = Readonly<Record<keyof Trust, number | null>>;

/** The check over all records of a run. */
export interface CheckResult {
  readonly boundary: Boundary;
  readonly spearman: RankCorrelation;
  /** Bins of about equal size; errors are MAE in m/s. */
  readonly reliability: Readonly<Record<keyof Trust, readonly ReliabilityBin[]>>;
}

const binsMax = 10;

/** Scores one reply. `truth` [rows][columns], m/s. */
export function scoreReply(
  { map, trust, variants = [] }: InferReply,
  truth: Float32Array,
  rows: number,
): RecordScore {
  return {
    score: scoreMap(map, truth, rows),
    trust,
    variants: variants.map(({ name, missing, map: predicted }) => ({
      name,
      missing,
      score: scoreMap(predicted, truth, rows),
    })),
  };
}

/** Expects at least one record. */
export function summariseSet(records: readonly RecordScore[]): SetResult {
  const variants = summariseVariants(records);
  return {
    ...sumOf(records.map(({ score }) => score)),
    ...(isChecked(records) && {
      latentMisfit: mean(records.map(({ trust }) => trust!.latentMisfit)),
      dataMisfit: mean(records.map(({ trust }) => trust!.dataMisfit)),
      spearman: correlate(records),
    }),
    ...(Object.keys(variants).length > 0 && { variants }),
  };
}

/** The check over all records; undefined when they were not checked. */
export function summariseCheck(
  records: readonly RecordScore[],
  boundary: Boundary,
): CheckResult | undefined {
  if (!isChecked(records)) return undefined;
  const errors = records.map(({ score }) => score.maeMps);
  const curve = (key: keyof Trust) =>
    reliabilityCurve(
      records.map(({ trust }) => trust![key]),
      errors,
      binsMax,
    );
  return {
    boundary,
    spearman: correlate(records),
    reliability: { latentMisfit: curve("latentMisfit"), dataMisfit: curve("dataMisfit") },
  };
}

/** Plain means over the sets, as OpenFWI's tables of ten families are averaged. */
export function meanOfSets(sets: readonly SetScore[]): Omit<SetScore, "n"> {
  return {
    ssim: mean(sets.map(({ ssim }) => ssim)),
    mae: mean(sets.map(({ mae }) => mae)),
    rmse: mean(sets.map(({ rmse }) => rmse)),
    maeMps: mean(sets.map(({ maeMps }) => maeMps)),
  };
}

function isChecked(records: readonly RecordScore[]): boolean {
  return records.length > 0 && records.every(({ trust }) => trust !== undefined);
}

function correlate(records: readonly RecordScore[]): RankCorrelation {
  const errors = records.map(({ score }) => score.mae);
  const of = (key: keyof Trust) => {
    if (records.length < 2) return null;
    const value = spearman(
      records.map(({ trust }) => trust![key]),
      errors,
    );
    return Number.isNaN(value) ? null : value;
  };
  return { latentMisfit: of("latentMisfit"), dataMisfit: of("dataMisfit") };
}

function summariseVariants(records: readonly RecordScore[]): Record<string, VariantSet> {
  const all = records.flatMap(({ variants }) => variants);
  const names = [...new Set(all.map(({ name }) => name))];
  return Object.fromEntries(
    names.map((name) => {
      const chosen = all.filter((variant) => variant.name === name);
      const worst = name === "missing1" ? worstDevice(chosen) : undefined;
      return [name, { ...sumOf(chosen.map(({ score }) => score)), ...(worst && { worst }) }];
    }),
  );
}

function worstDevice(singles: readonly VariantScore[]): { device: number; ssim: number } {
  const devices = [...new Set(singles.map(({ missing }) => missing[0]!))];
  const means = devices.map((device) => {
    const own = singles.filter(({ missing }) => missing[0] === device);
    return { device, ssim: mean(own.map(({ score }) => score.ssim)) };
  });
  return means.reduce((worst, one) => (one.ssim < worst.ssim ? one : worst));
}

function sumOf(scores: readonly MapScore[]): SetScore {
  const sum = new ScoreSum();
  for (const score of scores) sum.addScore(score);
  return sum.result()!;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
