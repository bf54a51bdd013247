// Writes weights/NAME/MODEL_CARD.md: what the files say of themselves, `epic eval` on seeds that training never saw, and
// the recipe that train/recipes.json holds.
//   node scripts/model-card.mjs [--model NAME] [--seed S] [-n COUNT]
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { runEpic } from "./run-node.mjs";

const { values: options } = parseArgs({
  options: {
    model: { type: "string", default: "epic-base" },
    seed: { type: "string", default: "3001" },
    n: { type: "string", short: "n", default: "50" },
  },
});
const { model: name, seed, n: count } = options;
const folder = `weights/${name}`;
const recipe = JSON.parse(readFileSync("train/recipes.json", "utf8"))[name];
if (recipe === undefined) {
  console.error(`model-card: --model: expected a name in train/recipes.json, got ${name}`);
  process.exit(2);
}
const modelOption = name === "epic-base" ? "" : ` --model ${folder}`;

const model = runEpic("inspect", `${folder}/central.safetensors`);
const { config } = model;
const { training } = config;
const openfwi = evaluate("openfwi", "--faults");
const fast = evaluate("fast");
const text = card();
writeFileSync(`${folder}/MODEL_CARD.md`, text);
process.stdout.write(text);

function evaluate(boundary, ...more) {
  const families = ["--family", "all", "-n", count, "--seed", seed, "--model", folder];
  return runEpic("eval", ...families, "--boundary", boundary, ...more);
}

/** What a fault costs: complete records' mean SSIM less that of the variant, over all families. */
function cost(variant) {
  const costs = Object.values(openfwi.families).map(
    (family) => family.ssim - family.variants[variant].ssim,
  );
  return (costs.reduce((sum, value) => sum + value, 0) / costs.length).toFixed(3);
}

function fidelityTable() {
  const rows = Object.entries(openfwi.families).map(([name, { ssim, mae, rmse, maeMps }]) => {
    const figures = [ssim.toFixed(3), mae.toFixed(4), rmse.toFixed(4), maeMps.toFixed(0)];
    return `| ${name} | ${figures.join(" | ")} | ${fast.families[name].ssim.toFixed(3)} |`;
  });
  const mean = (families, key) => {
    const values = Object.values(families).map((figures) => figures[key]);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const means = [
    mean(openfwi.families, "ssim").toFixed(3),
    mean(openfwi.families, "mae").toFixed(4),
    mean(openfwi.families, "rmse").toFixed(4),
    mean(openfwi.families, "maeMps").toFixed(0),
  ];
  const last = `| **mean** | ${means.join(" | ")} | ${mean(fast.families, "ssim").toFixed(3)} |`;
  return [...rows, last].join("\n");
}

function card() {
  const { macs, parameters, maps, steps, commit, dataSeed, testSeed } = training;
  const { geometry, latent } = config;
  const million = (value) => (value / 1e6).toFixed(1);
  const bytes = (half) => statSync(`${folder}/${half}.safetensors`).size.toLocaleString("en");
  const { devices, receivers, samples, shots, dtMs, dxM, map, velocityMps } = geometry;
  const values = latent.slots * latent.channels;
  return `# ${name}

${recipe.purpose} ${shots} shots, ${receivers} receivers on ${devices.length} devices, ${samples} samples of ${dtMs} ms; ${latent.slots} x ${latent.channels} int8 latent values
(${values.toLocaleString("en")} bytes) per device and record; a ${map.join(" x ")} velocity map of ${dxM} m cells, ${velocityMps.join("-")} m/s. Model id \`${model.modelId}\`.

| | |
|---|---|
| parameters | ${(parameters / 1e6).toFixed(2)} M, int8 weights |
| multiply-accumulates per record | ${million(macs.full)} M: ${devices.length} encoders of ${million(macs.encoder)} M, central ${million(macs.central)} M, decoder ${million(macs.decoder)} M |
| files | edge ${bytes("edge")} bytes, central ${bytes("central")} bytes |
| training | ${maps.toLocaleString("en")} generated maps of ten families (seeds ${[dataSeed].flat().join(", ")}), ${steps.toLocaleString("en")} ${recipe.training}; boundary: ${training.boundary}; checked during training on seed ${testSeed}; [train/EXPERIMENTS.md](../../train/EXPERIMENTS.md) |
| time and machine | ${recipe.time} |
| commit | ${commit} |

## Fidelity

Int8 through the WebAssembly engine on ${count} records per family, seed ${seed}, which training never saw. MAE and RMSE on maps scaled
to [-1, 1] (1 = 1500 m/s), SSIM as OpenFWI computes it.

    npx epic eval --family all -n ${count} --seed ${seed}${modelOption}

| family | SSIM | MAE | RMSE | MAE, m/s | SSIM, \`--boundary fast\` |
|---|---|---|---|---|---|
${fidelityTable()}

Measured on ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus()[0].model}. The maps are this package's own, in the likeness of
OpenFWI's (docs/families.md): do not compare these figures with published OpenFWI tables.

## Limits

One known survey and wavelet. A lost device costs ${cost("missing1")} of mean SSIM (each in turn), two ${cost("missing2")}, three
${cost("missing3")}; latents in 4 bits cost ${cost("bits4")} (the same records, \`npx epic eval --faults\`). ${recipe.limits}
Latents decode only with the central half that names this edge file.

## Made by

${recipe.commands.map((command) => `    ${command}`).join("\n")}
    node scripts/model-card.mjs --model ${name}
`;
}
