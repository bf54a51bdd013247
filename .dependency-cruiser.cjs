/**
 * The house rules of imports: they run one way, cli -> testbed -> transport -> edge, central -> model -> engine, and the
 * core stays free of npm packages and Node built-ins, so that one ES module serves Node, browsers, Deno, Bun and workers.
 */
const CORE =
  "^src/(engine|model|protocol|physics|metrics|trust)/|^src/edge/(encoder|index)\\.ts$|^src/central/(decoder|index)\\.ts$|^src/(index|kernels)\\.ts$";

/** A folder may import only these folders (and itself). */
const LAYERS = {
  protocol: [],
  engine: [],
  metrics: [],
  physics: ["engine"],
  model: ["engine"],
  io: ["engine", "model", "metrics", "physics", "protocol"],
  edge: ["engine", "model", "protocol", "io"],
  central: ["engine", "model", "protocol", "io", "metrics"],
  batch: ["engine", "model", "edge", "central"],
  trust: ["engine", "model", "physics", "metrics", "edge"],
  transport: ["protocol", "edge", "central", "io"],
  testbed: [
    "engine",
    "model",
    "protocol",
    "physics",
    "metrics",
    "io",
    "edge",
    "central",
    "transport",
  ],
};

const layerRules = Object.entries(LAYERS).map(([folder, allowed]) => ({
  name: `layer-${folder}`,
  comment: `src/${folder} imports only ${["itself", ...allowed].join(", ")}`,
  severity: "error",
  from: { path: `^src/${folder}/` },
  to: { path: "^src/", pathNot: `^src/(${[folder, ...allowed].join("|")})/` },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: "core-without-packages",
      comment: "the core imports no npm package; src/engine alone uses @assemblyscript/loader",
      severity: "error",
      from: { path: CORE },
      to: {
        dependencyTypes: [
          "npm",
          "npm-dev",
          "npm-optional",
          "npm-peer",
          "npm-no-pkg",
          "npm-unknown",
        ],
        pathNot: "@assemblyscript/loader",
      },
    },
    {
      name: "loader-only-in-engine",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/engine/" },
      to: { path: "@assemblyscript/loader" },
    },
    {
      name: "core-without-node",
      comment: "the core imports no Node built-in",
      severity: "error",
      from: { path: CORE },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "edge-without-central",
      comment: "an edge import pulls no central code, and the other way round",
      severity: "error",
      from: { path: "^src/edge/" },
      to: { path: "^src/central/" },
    },
    {
      name: "page-of-the-core",
      comment:
        "the page takes from src what runs in a browser: the core and what draws and formats",
      severity: "error",
      from: { path: "^web/src/" },
      to: {
        path: "^src/",
        pathNot:
          "^src/(engine|model|protocol|physics|metrics|trust)/|^src/(edge/(encoder|receivers)|central/decoder)\\.ts$|^src/io/(npyFormat|plots/(colours|ticks))\\.ts$|^src/testbed/(links|energy)\\.ts$",
      },
    },
    {
      name: "page-without-node",
      severity: "error",
      from: { path: "^web/src/" },
      to: { dependencyTypes: ["core"] },
    },
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "nothing-imports-tests",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|bench|scripts)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
    },
  },
};
