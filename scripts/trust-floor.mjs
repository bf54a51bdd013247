// What the trust figures say of the true map itself, when its records were modelled with one boundary and the check uses the
// other: the floor below which a misfit means nothing. docs/trust.md holds what it prints.
//   npm run build && node scripts/trust-floor.mjs [MAPS PER FAMILY]
import { EdgeEncoder } from "../dist/edge/encoder.js";
import { selectReceivers } from "../dist/edge/receivers.js";
import { FAMILIES, ForwardModeller, velocityMap } from "../dist/physics/index.js";
import { PhysicsCheck } from "../dist/trust/index.js";

const SEED = 3001;
const count = Number(process.argv[2] ?? 5);
const encoder = await EdgeEncoder.load();
const check = await PhysicsCheck.load({ encoder, boundary: "fast" });
const modeller = await ForwardModeller.load({ boundary: "openfwi" });
const { shots, samples, receivers, devices } = encoder.config.geometry;

console.log(
  `Model ${encoder.modelId}, ${count} maps per family of seed ${SEED}: median (greatest)\n`,
);
console.log("| family | latent misfit | data misfit |\n|---|---|---|");
for (const family of FAMILIES) {
  const figures = Array.from({ length: count }, (_, i) => floorOf(velocityMap(family, SEED, i)));
  const cells = ["latent", "data"].map((key) => describe(figures.map((figure) => figure[key])));
  console.log(`| ${family} | ${cells.join(" | ")} |`);
}

function floorOf(map) {
  const record = modeller.model(map);
  const latents = devices.flatMap((block, device) => {
    const traces = new Float32Array(shots * samples * block.receivers);
    return [...encoder.encode(selectReceivers(record, receivers, block, traces), { device })];
  });
  return {
    latent: check.latentMisfit(map, Int8Array.from(latents)),
    data: check.dataMisfit(map, record),
  };
}

function describe(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return `${sorted[sorted.length >> 1].toFixed(4)} (${sorted.at(-1).toFixed(4)})`;
}
