/** What the hosts are given: the package's edge half as one ES module, plans, weights, traces; and the latents they must find. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { readSafetensors } from "../../src/index.ts";
import { encodeNpy } from "../../src/io/npy.ts";
import { run } from "../cli/processes.ts";
import { hostsFolder } from "./findHost.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
export const jobFolder = join(hostsFolder, "job");

export interface Job {
  /** Of each device, f32 [shots][samples][receivers]. */
  readonly traces: readonly Float32Array[];
  /** Of each device, as train/export.py computed it in NumPy. */
  readonly latents: readonly Int8Array[];
  readonly modelId: string;
}

/** Writes the job folder. The golden record is that of test/vectors/model. */
export async function prepareJob(): Promise<Job> {
  mkdirSync(jobFolder, { recursive: true });
  for (const module of ["scalar", "simd"]) {
    const ended = await run(["export-edge", join(jobFolder, module), "--module", module]);
    if (ended.code !== 0) throw new Error(ended.stderr);
  }
  const plan = JSON.parse(readFileSync(join(jobFolder, "simd", "edge.plan.json"), "utf8"));
  const job = { ...readGolden(plan.geometry), modelId: plan.model.id };
  job.traces.forEach((traces, device) => {
    const { shots, samples, devices } = plan.geometry;
    const shape = [shots, samples, devices[device].receivers];
    writeFileSync(join(jobFolder, `traces-${device}.npy`), encodeNpy(shape, traces));
    writeFileSync(join(jobFolder, `traces-${device}.f32`), bytesOf(traces));
  });
  const weights = readFileSync(join(root, "weights/epic-base/edge.safetensors"));
  writeFileSync(join(jobFolder, "edge.safetensors"), weights);
  await bundle(join(root, "dist/edge/index.js"), "epic-edge");
  return job;
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
        external: ["#default-weights", /\.wasm$/, /\.safetensors$/],
        output: { codeSplitting: false },
      },
    },
  });
}

interface Geometry {
  readonly shots: number;
  readonly samples: number;
  readonly receivers: number;
  readonly devices: readonly { readonly firstReceiver: number; readonly receivers: number }[];
}

function readGolden({ receivers, devices }: Geometry): Pick<Job, "traces" | "latents"> {
  const file = readFileSync(join(root, "test/vectors/model/epic-base.safetensors"));
  const { tensors, metadata } = readSafetensors(file);
  const codes = tensors.get("traces")!.data;
  const step = Number(metadata.get("traceStep"));
  const all = tensors.get("latents")!.data as Int8Array;
  const length = all.length / devices.length;
  return {
    traces: devices.map(({ firstReceiver, receivers: count }) => {
      const traces = new Float32Array((codes.length / receivers) * count);
      return traces.map((_, i) => {
        const receiver = firstReceiver + (i % count);
        return codes[Math.floor(i / count) * receivers + receiver]! * step;
      });
    }),
    latents: devices.map((_, device) => all.slice(device * length, (device + 1) * length)),
  };
}

export function bytesOf(values: Float32Array | Int8Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

export function hexOf(latent: Int8Array): string {
  return Buffer.from(bytesOf(latent)).toString("hex");
}
