/**
 * Compares the velocity-map families with what is published about OpenFWI's and with real maps.
 *
 *   npm run build:ts && node scripts/family-report.mjs
 *
 * Prints markdown tables, writes docs/images/families.png (our maps alone) and, where real maps
 * are at hand, build/families-beside-real.png (their licence keeps that picture out of the
 * repository).
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { Bitmap } from "../dist/io/plots/bitmap.js";
import { viridisScale } from "../dist/io/plots/colours.js";
import { textHeight } from "../dist/io/plots/text.js";
import { FAMILIES, velocityMap } from "../dist/physics/families/index.js";
import {
  curveStatistics,
  labelStatistics,
  layerStatistics,
  rowStatistics,
} from "./map-statistics.mjs";
import { readExample, readRealMaps, realMapsFolder } from "./openfwi-maps.mjs";

const COUNT = 2000;
const SEED = 1;
const SIZE = 70;
const CELL = 2;
const GAP = 6;
const COLUMNS = 8;
const scale = viridisScale(1500, 4500);

/** Label mean and deviation, m/s: dataset_config.json of KGML-lab's GFI repository. */
const published = {
  "flatvel-a": [2782.0, 786.2],
  "flatvel-b": [3001.3, 866.7],
  "curvevel-a": [2788.2, 794.2],
  "curvevel-b": [3000.6, 865.4],
  "flatfault-a": [3088.7, 855.4],
  "flatfault-b": [3055.4, 875.9],
  "curvefault-a": [3082.7, 852.4],
  "curvefault-b": [3035.6, 890.5],
  "style-a": [2728.5, 665.8],
  "style-b": [2837.3, 637.7],
};

const folder = realMapsFolder();
printLabels();
if (folder) printBesideReal(folder);
writeMontage("docs/images", "families.png", () => undefined);
if (folder) {
  writeMontage("build", "families-beside-real.png", (family) =>
    readExample(folder, exampleName(family)),
  );
}

function printLabels() {
  console.log(`Label mean and deviation in m/s over ${COUNT} maps, seed ${SEED}:\n`);
  console.log("| family | mean | published | deviation | published |");
  console.log("|---|---|---|---|---|");
  for (const family of FAMILIES) {
    const { mean, std } = labelStatistics(mapsOf(family));
    const [publishedMean, publishedStd] = published[family];
    const cells = [compare(mean, publishedMean), publishedMean, compare(std, publishedStd)];
    console.log(`| ${family} | ${cells.join(" | ")} | ${publishedStd} |`);
  }
}

/** Layers of FlatVel-A and curves of CurveVel-A beside those of the real maps. */
function printBesideReal(folder) {
  const flat = [mapsOf("flatvel-a"), readRealMaps(folder, "FlatVelA")];
  const curved = [mapsOf("curvevel-a"), readRealMaps(folder, "CurveVelA")];
  const rows = [];
  const layers = flat.map(layerStatistics);
  for (let n = 3; n <= 8; n++) {
    rows.push([
      `flatvel-a: share of maps with ${n} layers`,
      ...layers.map((l) => share(l.shares[n])),
    ]);
  }
  rows.push(["flatvel-a: inner thickness, rows", ...layers.map((l) => l.thickness.toFixed(2))]);
  for (const [family, pair] of Object.entries({ "flatvel-a": flat, "curvevel-a": curved })) {
    for (const row of [0, 35, 69]) {
      const cells = pair.map((maps) => rowStatistics(maps, row));
      const text = cells.map(({ mean, std }) => `${mean.toFixed(0)} ± ${std.toFixed(0)}`);
      rows.push([`${family}: velocity in row ${row}, m/s`, ...text]);
    }
  }
  const curves = curved.map(curveStatistics);
  const list = (values) => values.map((value) => value.toFixed(1)).join(", ");
  rows.push(["curvevel-a: peak to peak 5, 50, 95 %, rows", ...curves.map((c) => list(c.height))]);
  rows.push([
    "curvevel-a: principal deviations, rows",
    ...curves.map((c) => list(c.components.slice(0, 8))),
  ]);
  rows.push([
    "curvevel-a: deviation at columns 0, 10 .. 60, 69, rows",
    ...curves.map((c) => list([0, 10, 20, 30, 40, 50, 60, 69].map((x) => c.deviation[x]))),
  ]);
  console.log("\nBeside 5000 real maps of each set:\n\n| | ours | real |\n|---|---|---|");
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
}

/** One row of maps per family; a real example, if there is one, leads the row. */
function writeMontage(directory, name, exampleOf) {
  const pitch = SIZE * CELL + GAP;
  const label = textHeight + 4;
  const line = pitch + label;
  const sheet = new Bitmap(COLUMNS * pitch + GAP, FAMILIES.length * line + GAP);
  FAMILIES.forEach((family, j) => {
    const top = GAP + j * line;
    const example = exampleOf(family);
    sheet.text(GAP, top, example ? `${family} (first: real)` : family);
    for (let i = 0; i < COLUMNS; i++) {
      const map = i === 0 && example ? example : velocityMap(family, SEED, i);
      sheet.draw(picture(map), GAP + i * pitch, top + label);
    }
  });
  mkdirSync(directory, { recursive: true });
  writeFileSync(`${directory}/${name}`, sheet.toPng());
}

function picture(map) {
  const bitmap = new Bitmap(SIZE * CELL, SIZE * CELL);
  map.forEach((velocity, i) => {
    const [row, x] = [Math.floor(i / SIZE), i % SIZE];
    bitmap.fill(x * CELL, row * CELL, CELL, CELL, scale.colour(velocity));
  });
  return bitmap;
}

function mapsOf(family) {
  return Array.from({ length: COUNT }, (_, index) => velocityMap(family, SEED, index));
}

/** "flatvel-a" as in the file names of real maps: "FlatVel_A". */
function exampleName(family) {
  const name = family.replace("-", "_").toUpperCase();
  const words = { FLAT: "Flat", CURVE: "Curve", VEL: "Vel", FAULT: "Fault", STYLE: "Style" };
  return name.replace(/FLAT|CURVE|VEL|FAULT|STYLE/g, (word) => words[word]);
}

function compare(value, target) {
  const percent = 100 * (value / target - 1);
  return `${value.toFixed(1)} (${percent < 0 ? "" : "+"}${percent.toFixed(1)} %)`;
}

function share(value) {
  return `${(100 * value).toFixed(1)} %`;
}
