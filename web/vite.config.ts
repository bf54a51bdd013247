import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Built into dist/web: relative addresses only, so that the folder works under any path. The model's
 * weights stay outside; whoever serves the page serves them as model/edge.safetensors and
 * model/central.safetensors beside it (`epic web` does).
 */
export default defineConfig({
  root: here("."),
  base: "./",
  logLevel: "warn",
  build: {
    outDir: here("../dist/web"),
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    // data: addresses would need a wider content security policy.
    assetsInlineLimit: 0,
  },
  worker: { format: "es" },
  resolve: {
    alias: {
      "#edge-weights": here("src/compute/noDefaultWeights.ts"),
      "#central-weights": here("src/compute/noDefaultWeights.ts"),
    },
  },
});
