// Writes docs/results.md and its pictures: what the committed int8 weights score on the test seed, beside what is published.
//   npm run build && npm run results -- -n 50
//     -n N               maps per family (default 500); some 5 N seconds of one core
//     --float FILE       train/evaluate.py --float ... -o FILE: the scores before quantisation
//     --baseline FILE    train/evaluate.py --baseline ... -o FILE
//     --disturbed FILE   train/evaluate.py DIR --float ... --stage qat --disturbed -o FILE: EPIC under faults of the field,
//     --disturbed-baseline FILE   and the baseline under the same
//     --models DIR       a folder NAME for each model of the family, with what `epic eval --all -n N --model weights/NAME -o DIR/NAME`
//                        wrote, the same N for all
//     --rate FILE        what train/rate_distortion.py wrote
//     --real DIR         folders of records of real maps, data*.npy and model*.npy: scored as well
//     --scores DIR       what `epic eval --all -n N --check -o DIR` wrote, instead of running it
//     --out DIR          instead of docs
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { EdgeEncoder } from "../dist/edge/encoder.js";
import { selectReceivers } from "../dist/edge/receivers.js";
import { CentralDecoder, macCounts, readSafetensors } from "../dist/index.js";
import { Bitmap } from "../dist/io/plots/bitmap.js";
import { divergingScale, viridisScale } from "../dist/io/plots/colours.js";
import { textHeight } from "../dist/io/plots/text.js";
import { ForwardModeller, velocityMap } from "../dist/physics/index.js";
import { published, columns as publishedColumns } from "./openfwi-published.mjs";
import { rateDistortionRows, rateDistortionSvg } from "./rate-distortion.mjs";
import { runEpic } from "./run-node.mjs";

const { values: options } = parseArgs({
  options: {
    n: { type: "string", short: "n", default: "500" },
    float: { type: "string" },
    baseline: { type: "string" },
    disturbed: { type: "string" },
    "disturbed-baseline": { type: "string" },
    models: { type: "string" },
    rate: { type: "string" },
    real: { type: "string" },
    scores: { type: "string" },
    out: { type: "string", default: "docs" },
  },
});
const CELL = 2;
const GAP = 6;
const MAPS = 2;
const ERROR_MPS = 600;

const scratch = options.scores ?? join("build", "results");
const images = join(options.out, "images");
mkdirSync(images, { recursive: true });
if (!options.scores) runEpic("eval", "--all", "-n", String(askedCount()), "--check", "-o", scratch);
const summary = readScores(join(scratch, "eval.json"));
const count = Object.values(summary.families)[0].n;
const real = options.real && runEpic("eval", options.real);
const float = readScores(options.float);
const baseline = readScores(options.baseline);
const disturbed = readScores(options.disturbed)?.disturbed;
const disturbedBaseline = readScores(options["disturbed-baseline"])?.disturbed;
const familyOfModels = readModels(options.models);
const rate = readScores(options.rate);
const families = Object.keys(summary.families);
if (rate) writeFileSync(join(images, "rate-distortion.svg"), rateDistortionSvg(rate));
writeFileSync(join(images, "reliability.png"), readFileSync(join(scratch, "reliability.png")));
writeFileSync(join(images, "results.png"), await drawMaps());
writeFileSync(join(options.out, "results.md"), page());
console.log(
  `${join(options.out, "results.md")}: model ${summary.modelId}, ${count} maps per family`,
);

function askedCount() {
  const asked = Number(options.n);
  if (Number.isInteger(asked) && asked >= 2) return asked;
  console.error(`results: -n: expected a whole number from 2, got ${options.n}`);
  process.exit(2);
}

/** What train/evaluate.py wrote; undefined when it was not given. */
function readScores(path) {
  return path && JSON.parse(readFileSync(path, "utf8"));
}

function page() {
  return `# Results

Made by \`npm run results -- -n ${count}\` on ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus()[0].model.trim()}. Model
\`${summary.modelId}\`, int8, ${summary.module} module (all modules give the same bits); ${count} maps per family of seed ${summary.seed}, which training never
sees, with records of OpenFWI's own boundary. \`npx epic eval --all -n ${count} --check\` prints the same figures on any machine.

The maps are this package's own, in the likeness of OpenFWI's ([families](families.md)). SSIM, MAE and RMSE are computed as OpenFWI computes
them, on maps scaled to [-1, 1] (1 = 1500 m/s).${sampleNote()}

## Fidelity

${fidelity()}

${sources()}

![Truth, prediction and error of ${MAPS} test maps of each family](images/results.png)

The first ${MAPS} test maps of each family: truth, prediction (1500 to 4500 m/s, viridis) and error (blue -${ERROR_MPS} to red +${ERROR_MPS} m/s).
${realSection()}
## What is published about OpenFWI's own maps

Other maps than ours, so these figures say how hard a family is, not who is better. SSIM / MAE; source: openfwi-lanl.github.io, benchmark
page as corrected in November 2022 (arXiv:2111.02926).

${publishedTable()}

How far from the published InversionNet, which has 20 times the parameters and was trained for 120 passes over 24,000 to 60,000 maps of one family at a
time, on GPUs; ours is one network for all ten, trained for under three hours on one CPU thread:

${distances()}

What holds it back where it is behind: the number of maps, first of all. At the end of training the error was 0.077 on training maps and 0.090 on held-out ones
and both still fell (train/EXPERIMENTS.md). The size of the latent does not: 2,048 values score as 1,024. Style-A is furthest behind;
its published maps may be smoother than ours, which no map of theirs has been at hand to tell ([families](families.md)).

## Missing devices, four bits

SSIM lost against the whole record in 8 bits. "One device" is the mean over all five; pairs and triples go round with the record.

${faults()}
${baselineFaults()}${disturbedSection()}${modelsSection()}${rateSection()}
## How far to trust a map

Two figures that need no true map ([trust](trust.md)), with the ${summary.check.boundary} boundary, and how well each ranks the records of a family by their
true MAE (Spearman's rank correlation; 1 = perfectly, 0 = not at all).

${trust()}

![True error of the records over each misfit](images/reliability.png)

Records of all families in ten groups of about equal misfit: mean true error of each group, and the band that holds 80 % of its records.
`;
}

/** A warning where the sample is small. */
function sampleNote() {
  if (count >= 50) return "";
  return ` A small sample: ${count} maps a family show the form of this page, and are too few to compare models by.`;
}

function markdown(header, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(header), `|${header.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

/** One row per family and one of means, each from `cells(scores, family)`. */
function familyRows(cells) {
  return families.map((family) => [family, ...cells(family)]);
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function fidelity() {
  const header = ["family", "SSIM", "MAE", "RMSE", "MAE, m/s"];
  if (float) header.push("SSIM, float", "int8 - float");
  if (baseline) header.push("SSIM, baseline", "MAE, baseline", "RMSE, baseline");
  const cells = (own, before, other) => [
    own.ssim.toFixed(4),
    own.mae.toFixed(4),
    own.rmse.toFixed(4),
    own.maeMps.toFixed(0),
    ...(float ? [before.ssim.toFixed(4), (own.ssim - before.ssim).toFixed(4)] : []),
    ...(baseline ? [other.ssim.toFixed(4), other.mae.toFixed(4), other.rmse.toFixed(4)] : []),
  ];
  const rows = familyRows((family) =>
    cells(summary.families[family], float?.families[family], baseline?.families[family]),
  );
  return markdown(header, [
    ...rows,
    ["**mean**", ...cells(summary.mean, float?.mean, baseline?.mean)],
  ]);
}

function sources() {
  const n = (scores) => Object.values(scores.families)[0].n;
  const parts = [
    float &&
      `Float: the network before quantisation, ${n(float)} maps per family (\`train/evaluate.py --float\`).`,
    baseline &&
      `Baseline: ${baseline.model}, ${(baseline.parameters / 1e6).toFixed(1)} M parameters, trained on epic-base's maps and more, ` +
        `${n(baseline)} maps per family (\`train/evaluate.py --baseline\`, [training](training.md)).`,
    baseline && comparison(),
  ];
  return (
    parts.filter(Boolean).join("\n") ||
    "Neither float scores nor a baseline were given to this run."
  );
}

function comparison() {
  const better = (key, sign) =>
    families.filter(
      (family) => sign * (summary.families[family][key] - baseline.families[family][key]) >= 0,
    ).length;
  return (
    `At or above the baseline in SSIM on ${better("ssim", 1)} of ${families.length} families, ` +
    `at or below it in MAE on ${better("mae", -1)}.`
  );
}

function realSection() {
  if (!real) return "";
  const rows = Object.entries(real.families).map(([name, { n, ssim, mae, rmse }]) => [
    name,
    n,
    ssim.toFixed(4),
    mae.toFixed(4),
    rmse.toFixed(4),
  ]);
  const table = markdown(["maps", "n", "SSIM", "MAE", "RMSE"], rows);
  return `
## Real OpenFWI maps

Never trained on; records modelled here with OpenFWI's boundary.

${table}
`;
}

/** SSIM less that of the better published InversionNet, and what is known about the distance. */
function distances() {
  const rows = familyRows((family) => {
    const best = Math.max(...published[family].slice(0, 2).map(({ ssim }) => ssim));
    const distance = summary.families[family].ssim - best;
    return [`${distance < 0 ? "" : "+"}${distance.toFixed(4)}`];
  });
  return markdown(["family", "SSIM less the better InversionNet's"], rows);
}

function publishedTable() {
  const cell = ({ ssim, mae }) => `${ssim.toFixed(4)} / ${mae.toFixed(4)}`;
  const rows = familyRows((family) => {
    const { ssim, mae } = summary.families[family];
    return [cell({ ssim, mae }), ...published[family].map(cell)];
  });
  return markdown(["family", "ours, our maps", ...publishedColumns], rows);
}

function faults() {
  const names = ["bits4", "missing1", "missing2", "missing3"];
  const drop = (family, name) =>
    summary.families[family].ssim - summary.families[family].variants[name].ssim;
  const rows = familyRows((family) => {
    const { device, ssim } = summary.families[family].variants.missing1.worst;
    const worst = `${(summary.families[family].ssim - ssim).toFixed(4)} (device ${device})`;
    return [...names.map((name) => drop(family, name).toFixed(4)), worst];
  });
  const means = names.map((name) => mean(families.map((family) => drop(family, name))).toFixed(4));
  return markdown(
    ["family", "4-bit latents", "one device", "two", "three", "worst single device"],
    [...rows, ["**mean**", ...means, ""]],
  );
}

function baselineFaults() {
  if (!baseline?.families[families[0]]?.variants) return "";
  const drops = ["missing1", "missing2", "missing3"].map((name) =>
    mean(
      families.map((family) => {
        const { ssim, variants } = baseline.families[family];
        return ssim - variants[name].ssim;
      }),
    ).toFixed(4),
  );
  return `\nThe baseline loses ${drops[0]}, ${drops[1]} and ${drops[2]} (means) when the traces of one, two and three devices are silenced.\n`;
}

function disturbedSection() {
  if (!disturbed) return "";
  const cells = (scores, name) => [
    scores[name].ssim.toFixed(4),
    (scores.clean.ssim - scores[name].ssim).toFixed(4),
  ];
  const rows = Object.keys(disturbed).map((name) => [
    name,
    ...cells(disturbed, name),
    ...(disturbedBaseline ? cells(disturbedBaseline, name) : []),
  ]);
  const header = ["fault", "SSIM", "lost"];
  if (disturbedBaseline) header.push("SSIM, baseline", "lost");
  return `
## Faults of the field

Mean SSIM over the ten families with faults on the raw records (\`train/faults.py\`): noise is OpenFWI's \`--std\`, the variance on log-scaled data; mute is its
\`--missing\`; gain and clock are errors of each device's own board, uniform up to the figure. EPIC's figures are those of the network as it was trained, weights and ReLUs rounded.

${markdown(header, rows)}
`;
}

/** The models of a folder of scores, smallest first: {name, config, scores}. */
function readModels(folder) {
  if (!folder) return [];
  const models = readdirSync(folder).map((name) => {
    const { metadata } = readSafetensors(readFileSync(`weights/${name}/central.safetensors`));
    const config = JSON.parse(metadata.get("config"));
    return { name, config, scores: readScores(join(folder, name, "eval.json")) };
  });
  return models.sort((a, b) => macCounts(a.config).full - macCounts(b.config).full);
}

function modelsSection() {
  if (familyOfModels.length === 0) return "";
  const million = (value) => (value / 1e6).toFixed(1);
  const sizes = familyOfModels.map(({ name, config }) => [
    name,
    million(macCounts(config).full),
    million(macCounts(config).encoder),
    (config.training.parameters / 1e6).toFixed(2),
    String(config.latent.slots * config.latent.channels),
  ]);
  const scored = (pick) => familyOfModels.map(({ scores }) => pick(scores).ssim.toFixed(4));
  const names = familyOfModels.map(({ name }) => name);
  const rows = familyRows((family) => scored((scores) => scores.families[family]));
  const n = Object.values(familyOfModels[0].scores.families)[0].n;
  return `
## The family of models

${markdown(["model", "million MACs a record", "of one device", "million parameters", "latent bytes per device"], sizes)}

epic-large has the end devices of epic-base, file for file, and reads the same frames: a survey in the field gets it by another central node alone. SSIM
on the first ${n} maps of each family, int8 through the engine (\`epic eval --all -n ${n} --model weights/NAME\`):

${markdown(["family", ...names], [...rows, ["**mean**", ...scored((scores) => scores.mean)]])}
`;
}

function rateSection() {
  if (!rate) return "";
  return `
## Latent size

![Mean SSIM over latent bytes per device](images/rate-distortion.svg)

${markdown(["latent values", "encoding", "bytes", "SSIM"], rateDistortionRows(rate))}

${rate.records} records of seed ${rate.seed}. The networks of 256, 512 and 2,048 values start as epic-base with other latent channels and were trained on for a
short while (train/EXPERIMENTS.md): they are lower bounds of what their size can carry.
`;
}

function trust() {
  const rank = (value) => value?.toFixed(2) ?? "";
  const rows = familyRows((family) => {
    const { latentMisfit, dataMisfit, spearman } = summary.families[family];
    return [
      latentMisfit.toFixed(3),
      rank(spearman.latentMisfit),
      dataMisfit.toFixed(3),
      rank(spearman.dataMisfit),
    ];
  });
  const { spearman } = summary.check;
  return markdown(
    ["family", "latent misfit", "rank correlation", "data misfit", "rank correlation"],
    [...rows, ["**all records**", "", rank(spearman.latentMisfit), "", rank(spearman.dataMisfit)]],
  );
}

/** Truth, prediction and error of the first maps of each family, a row per family. */
async function drawMaps() {
  const encoder = await EdgeEncoder.load();
  const decoder = await CentralDecoder.load();
  const modeller = await ForwardModeller.load({ boundary: summary.boundary });
  const { geometry } = encoder.config;
  const [height, width] = geometry.map;
  const pitch = width * CELL + GAP;
  const label = textHeight + 6;
  const line = height * CELL + GAP + label;
  const sheet = new Bitmap(GAP + MAPS * (3 * pitch + GAP), GAP + families.length * line);
  for (const [j, family] of families.entries()) {
    const top = GAP + j * line;
    sheet.text(GAP, top, family);
    for (let i = 0; i < MAPS; i++) {
      const truth = velocityMap(family, summary.seed, i);
      const prediction = decoder.decode(latentsOf(encoder, modeller.model(truth)));
      const error = prediction.map((value, k) => value - truth[k]);
      const [low, high] = geometry.velocityMps;
      const tiles = [
        [truth, viridisScale(low, high)],
        [prediction, viridisScale(low, high)],
        [error, divergingScale(ERROR_MPS)],
      ];
      for (const [k, [values, scale]] of tiles.entries()) {
        const left = GAP + i * (3 * pitch + GAP) + k * pitch;
        drawTile(sheet, left, top + label, values, width, scale);
      }
    }
  }
  return sheet.toPng();
}

function latentsOf(encoder, record) {
  const { shots, samples, receivers, devices } = encoder.config.geometry;
  const parts = devices.flatMap((block, device) => {
    const traces = new Float32Array(shots * samples * block.receivers);
    return [...encoder.encode(selectReceivers(record, receivers, block, traces), { device })];
  });
  return Int8Array.from(parts);
}

function drawTile(sheet, left, top, values, width, scale) {
  values.forEach((value, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    sheet.fill(left + column * CELL, top + row * CELL, CELL, CELL, scale.colour(value));
  });
}
