// Writes weights/epic-base/MODEL_CARD.md: what the files say of themselves, and `epic eval` run on seeds that training
// never saw.
//   node scripts/model-card.mjs [SEED] [COUNT]
import { execFileSync } from "node:child_process";
import { statSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";

const [seed = "3001", count = "50"] = process.argv.slice(2);
const folder = "weights/epic-base";

const model = epic("inspect", `${folder}/central.safetensors`);
const { config } = model;
const { training } = config;
const openfwi = evaluate("openfwi", "--faults");
const fast = evaluate("fast");
const text = card();
writeFileSync(`${folder}/MODEL_CARD.md`, text);
process.stdout.write(text);

function epic(...args) {
  const options = { encoding: "utf8", maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "inherit"] };
  return JSON.parse(execFileSync("node", ["dist/cli/main.js", ...args, "--json"], options));
}

function evaluate(boundary, ...more) {
  const families = ["--family", "all", "-n", count, "--seed", seed];
  return epic("eval", ...families, "--boundary", boundary, ...more);
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
  const million = (value) => (value / 1e6).toFixed(1);
  const bytes = (half) => statSync(`${folder}/${half}.safetensors`).size.toLocaleString("en");
  return `# epic-base

The shipped EPIC model: 5 devices of 14 receivers, 16 x 64 int8 latent values (1,024 bytes) per device and record, a
70 x 70 velocity map of 10 m cells, 1500-4500 m/s. Model id \`${model.modelId}\`.

| | |
|---|---|
| parameters | ${(parameters / 1e6).toFixed(2)} M, int8 weights |
| multiply-accumulates per record | ${million(macs.full)} M: 5 encoders of ${million(macs.encoder)} M, central ${million(macs.central)} M, decoder ${million(macs.decoder)} M |
| files | edge ${bytes("edge")} bytes, central ${bytes("central")} bytes |
| training | ${maps.toLocaleString("en")} generated maps of ten families (seeds ${[dataSeed].flat().join(", ")}), ${steps.toLocaleString("en")} quantisation-aware steps of 64 from a smaller trained network, both boundaries; checked during training on seed ${testSeed}; [train/EXPERIMENTS.md](../../train/EXPERIMENTS.md) |
| commit | ${commit} |

## Fidelity

Int8 through the WebAssembly engine on ${count} records per family, seed ${seed}, which training never saw. MAE and RMSE on maps scaled
to [-1, 1] (1 = 1500 m/s), SSIM as OpenFWI computes it.

    npx epic eval --family all -n ${count} --seed ${seed}

| family | SSIM | MAE | RMSE | MAE, m/s | SSIM, \`--boundary fast\` |
|---|---|---|---|---|---|
${fidelityTable()}

Measured on ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus()[0].model}. The maps are this package's own, in the likeness of
OpenFWI's (docs/families.md): do not compare these figures with published OpenFWI tables.

## Limits

One known survey and wavelet. A lost device costs ${cost("missing1")} of mean SSIM (each of the five in turn), two ${cost("missing2")}, three
${cost("missing3")}; latents in 4 bits cost ${cost("bits4")} (the same records, \`npx epic eval --all -n ${count}\`). Training met noise, gain and clock errors and dead receivers in a
tenth of its records; how much they cost has not been measured. Deep thin layers and faults blur; CurveVel-B, CurveFault-B and Style-B are
the weakest. Latents decode only with the central half that names this edge file.

## Made by

    python train/data.py --seed 11 ... and --seed 12 --boundary openfwi ...      maps and records
    python train/grow.py --from SMALL.pt --to START.pt                           see docs/training.md
    python train/train.py --stage qat --from START.pt --run RUN --minutes 90 --batch 64 --lr 1.5e-3 --ssim 0.3 --data-seed 11 12
    python train/export.py --from RUN/ema.pt --data-seed 11 12
    node scripts/model-card.mjs
`;
}
