/** The JSON document and the tables of `epic eval`. */
import type { Boundary } from "../physics/index.ts";
import {
  type CheckResult,
  meanOfSets,
  type RankCorrelation,
  type RecordScore,
  type SetResult,
  summariseCheck,
  summariseSet,
} from "./evalScores.ts";
import type { SetScore } from "./scores.ts";
import { formatFacts, formatTable } from "./table.ts";

export interface EvalSummary {
  readonly families: Readonly<Record<string, SetResult>>;
  /** Over the families, each counting once. */
  readonly mean: Omit<SetScore, "n">;
  /** Where the records were made on the spot. */
  readonly seed?: number;
  readonly boundary?: Boundary;
  readonly check?: CheckResult;
  readonly module: string;
  readonly modelId: string;
}

/** `made`: what the families' records were made from. */
export function summariseEval(
  scores: ReadonlyMap<string, readonly RecordScore[]>,
  model: { readonly module: string; readonly modelId: string },
  checkBoundary: Boundary,
  made: { readonly seed: number; readonly boundary: Boundary } | undefined,
): EvalSummary {
  const sets = [...scores].map(([name, records]) => [name, summariseSet(records)] as const);
  const check = summariseCheck([...scores.values()].flat(), checkBoundary);
  return {
    families: Object.fromEntries(sets),
    mean: meanOfSets(sets.map(([, set]) => set)),
    ...made,
    ...(check && { check }),
    ...model,
  };
}

/** Tables for a terminal; ends without a line break. */
export function evalText(summary: EvalSummary): string {
  const { families, mean, check, modelId, module } = summary;
  const sets = Object.entries(families);
  const table = formatTable(
    ["family", "n", "SSIM", "MAE", "RMSE", "MAE m/s"],
    [
      ...sets.map(([name, set]) => [name, String(set.n), ...scoreCells(set)]),
      ...(sets.length > 1 ? [["mean", "", ...scoreCells(mean)]] : []),
    ],
  );
  return [
    table,
    ...variantTable(sets),
    ...(check ? [checkTable(sets, check)] : []),
    formatFacts([["model", `${modelId}, ${module} module`]]),
  ].join("\n\n");
}

function scoreCells({ ssim, mae, rmse, maeMps }: Omit<SetScore, "n">): string[] {
  return [ssim.toFixed(4), mae.toFixed(4), rmse.toFixed(4), maeMps.toFixed(1)];
}

type NamedSets = readonly (readonly [name: string, set: SetResult])[];

/** What each fault costs in SSIM; no table where none was tried. */
function variantTable(sets: NamedSets): string[] {
  const names = [...new Set(sets.flatMap(([, { variants }]) => Object.keys(variants ?? {})))];
  if (names.length === 0) return [];
  const drop = (set: SetResult, name: string) => set.ssim - set.variants![name]!.ssim;
  const meanDrop = (name: string) =>
    sets.reduce((sum, [, set]) => sum + drop(set, name), 0) / sets.length;
  const worst = ({ ssim, variants }: SetResult) => {
    const found = variants?.missing1?.worst;
    return found ? `${(ssim - found.ssim).toFixed(4)} (device ${found.device})` : "";
  };
  return [
    formatTable(
      ["SSIM lost by", ...names.map((name) => variantLabels[name] ?? name), "worst of 1"],
      [
        ...sets.map(([name, set]) => [
          name,
          ...names.map((variant) => drop(set, variant).toFixed(4)),
          worst(set),
        ]),
        ...(sets.length > 1 ? [["mean", ...names.map((name) => meanDrop(name).toFixed(4))]] : []),
      ],
    ),
  ];
}

const variantLabels: Readonly<Record<string, string>> = {
  bits4: "4 bits",
  missing1: "1 device",
  missing2: "2 devices",
  missing3: "3 devices",
};

function checkTable(sets: NamedSets, { boundary, spearman }: CheckResult): string {
  const rank = (value: number | null | undefined) => value?.toFixed(3) ?? "";
  const ranks = (found: RankCorrelation) => [rank(found.latentMisfit), rank(found.dataMisfit)];
  return formatTable(
    [`check (${boundary})`, "latent misfit", "data misfit", "rank by latents", "rank by data"],
    [
      ...sets.map(([name, set]) => [
        name,
        set.latentMisfit!.toFixed(4),
        set.dataMisfit!.toFixed(4),
        ...ranks(set.spearman!),
      ]),
      ["all records", "", "", ...ranks(spearman)],
    ],
  );
}
