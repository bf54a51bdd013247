/** `epic export-edge`: the encoder as data, so that a host without JavaScript can be a device. */
import { Command, Option } from "commander";
import { edgeModules } from "../engine/edgeModules.ts";
import { openModule } from "../engine/openModule.ts";
import { writeFilesAtomic } from "../io/atomic.ts";
import { formatBytes } from "../io/format.ts";
import { loadModelHalf } from "../io/modelFiles.ts";
import { type EdgeExport, exportEdge } from "../model/edgeExport.ts";
import { ModelFile } from "../model/modelFile.ts";
import {
  action,
  addJsonOption,
  checkOutputFolder,
  type JsonOptions,
  type ModuleName,
  printJson,
} from "./common.ts";
import { formatFacts } from "./table.ts";

interface Options extends JsonOptions {
  model?: string;
  module: ModuleName;
}

export function exportEdgeCommand(): Command {
  const command = new Command("export-edge")
    .description(
      "Write the encoder for hosts without JavaScript: edge.wasm (the module, no imports), edge.bin\n" +
        "(weights and tables for its memory) and edge.plan.json (where they go, what to call, where\n" +
        "traces and latent stand). docs/abi.md says how a host uses them.",
    )
    .argument("<dir>", "folder for edge.wasm, edge.bin and edge.plan.json")
    .option("--model <dir>", "model folder (default: the shipped weights/epic-base)")
    .addOption(
      new Option("--module <name>", "scalar runs everywhere; relaxed must run here to be written")
        .choices(["scalar", "simd", "relaxed"])
        .default("simd"),
    );
  return addJsonOption(command).action(action(exportTo));
}

async function exportTo(folder: string, options: Options): Promise<void> {
  await checkOutputFolder(folder);
  const file = await ModelFile.read(await loadModelHalf("edge", options.model), "edge");
  const module = await openModule(edgeModules, { module: options.module });
  const exported = exportEdge(module, file);
  const wasm = await edgeModules.source[options.module]();
  await writeFilesAtomic(folder, {
    "edge.wasm": wasm,
    "edge.bin": exported.image,
    "edge.plan.json": `${JSON.stringify(exported.plan, null, 1)}\n`,
  });
  report(folder, wasm.length, exported, options);
}

function report(
  folder: string,
  wasmBytes: number,
  { plan, image }: EdgeExport,
  options: Options,
): void {
  const { module, model, memory, calls } = plan;
  if (options.json) {
    const sizes = { wasmBytes, imageBytes: image.length, memoryBytes: memory.bytes };
    printJson({ out: folder, module, modelId: model.id, calls: calls.length, ...sizes });
    return;
  }
  const facts = formatFacts([
    ["written", `${folder}: edge.wasm edge.bin edge.plan.json`],
    ["module", `${module}, ${formatBytes(wasmBytes)}`],
    ["image", `${formatBytes(image.length)} of ${formatBytes(memory.bytes)} of memory`],
    ["calls", `${calls.length} per latent`],
    ["model", model.id],
  ]);
  process.stdout.write(`${facts}\n`);
}
