// Bundles what `epic-wasm`, `epic-wasm/edge`, `epic-wasm/central` and the rest of the core export into dist/lib, where tsc leaves
// some forty files. What all share stands in edge.js, so that an end device reads and links one file and a central node two: that
// is most of the time from import to the first latent. The modules' texts stay files of their own: only one is needed.
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));
const ENTRIES = {
  index: "dist/index.js",
  edge: "dist/edge/index.js",
  central: "dist/central/index.js",
  kernels: "dist/kernels.js",
  physics: "dist/physics/index.js",
  trust: "dist/trust/index.js",
  protocol: "dist/protocol/index.js",
};

/** What `index`, `edge` and `central` share, by the number of entries; what one half has for itself, by folder. */
const GROUPS = [
  { name: "edge", test: /dist\/(edge\/|model\/edgePlan)/ },
  { name: "central", test: /dist\/(central\/|engine\/centralModules)/ },
  { name: "edge", minShareCount: 3 },
];

if (!isCurrent()) await build();

async function build() {
  const bundle = await rolldown({
    cwd: root,
    input: ENTRIES,
    // Node and browsers get different files under these names; the package's `imports` say which.
    external: [/^#/],
    platform: "neutral",
    preserveEntrySignatures: "allow-extension",
    treeshake: { moduleSideEffects: false },
  });
  const { output } = await bundle.write({
    dir: `${root}dist/lib`,
    format: "es",
    entryFileNames: "[name].js",
    chunkFileNames: "[name].js",
    cleanDir: true,
    codeSplitting: { groups: GROUPS },
    // A process reads and parses all of it at every start; names stay, so that a stack says where it was.
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
    banner: ({ moduleIds }) =>
      moduleIds.some((id) => id.includes("@assemblyscript/loader"))
        ? "/*! Holds parts of @assemblyscript/loader, Apache-2.0. */"
        : "",
  });
  await bundle.close();
  // publint knows a module by an export that begins a line.
  for (const { fileName, code } of output) {
    writeFileSync(`${root}dist/lib/${fileName}`, code.replace(/export\{[^{}]*\};\s*$/, "\n$&"));
  }
}

/** A bundle newer than all that tsc wrote is kept: the first `npx epic` in a clone runs the build again. */
function isCurrent() {
  const built = `${root}dist/lib/index.js`;
  if (!existsSync(built)) return false;
  const sources = [
    "engine",
    "engine/wasm",
    "model",
    "protocol",
    "edge",
    "central",
    "physics",
    "trust",
    "metrics",
    ".",
  ]
    .flatMap((folder) =>
      readdirSync(`${root}dist/${folder}`).map((file) => `${root}dist/${folder}/${file}`),
    )
    .filter((file) => file.endsWith(".js"));
  const newest = Math.max(...[...sources, `${root}scripts/build-lib.mjs`].map(modified));
  return modified(built) > newest;
}

function modified(file) {
  return statSync(file).mtimeMs;
}
