/** What the hosts are given: the package's edge half as one ES module, plans, weights and traces. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { encodeNpy } from "../../src/io/npy.ts";
import { run } from "../cli/processes.ts";
import { hostsFolder } from "./findHost.ts";
import { bytesOf, type Golden, readGolden } from "./golden.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
export const jobFolder = join(hostsFolder, "job");

/** Writes the job folder. */
export async function prepareJob(): Promise<Golden> {
  mkdirSync(jobFolder, { recursive: true });
  for (const module of ["scalar", "simd"]) {
    const ended = await run(["export-edge", join(jobFolder, module), "--module", module]);
    if (ended.code !== 0) throw new Error(ended.stderr);
  }
  const golden = readGolden();
  const { shots, samples, devices } = golden.geometry;
  golden.traces.forEach((traces, device) => {
    const shape = [shots, samples, devices[device]!.receivers];
    writeFileSync(join(jobFolder, `traces-${device}.npy`), encodeNpy(shape, traces));
    writeFileSync(join(jobFolder, `traces-${device}.f32`), bytesOf(traces));
  });
  const weights = readFileSync(join(root, "weights/epic-base/edge.safetensors"));
  writeFileSync(join(jobFolder, "edge.safetensors"), weights);
  await bundle(join(root, "dist/edge/index.js"), "epic-edge");
  return golden;
}

/** One ES module, with what it imports but the files that a host brings itself. */
export async function bundle(entry: string, name: string, folder = jobFolder): Promise<void> {
  await build({
    configFile: false,
    root,
    logLevel: "error",
    build: {
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      lib: { entry, formats: ["es"], fileName: () => `${name}.js` },
      rolldownOptions: {
        external: ["#edge-weights", /\.wasm$/, /\.safetensors$/],
        output: { codeSplitting: false },
      },
    },
  });
}
