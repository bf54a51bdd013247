/** `epic demo`: one record end to end on this machine. */
import { Command, Option } from "commander";
import { FAMILIES } from "../physics/families/index.ts";
import type { Boundary } from "../physics/index.ts";
import {
  action,
  addComputeOptions,
  addJsonOption,
  type ComputeOptions,
  checkOutputFolder,
  type JsonOptions,
  MisuseError,
  parseIntOption,
  printJson,
} from "./common.ts";
import { type MapChoice, modelShots, readMap, readModel } from "./demoInput.ts";
import { type DemoOutcome, describeDemo, summarise, writeDemoFiles } from "./demoReport.ts";
import { DemoCluster } from "./demoRun.ts";
import { addEncodingOption, type EncodingName } from "./encodingOption.ts";
import { stopSignal } from "./lifetime.ts";

interface Options extends MapChoice, ComputeOptions, JsonOptions {
  boundary: Boundary;
  encoding: EncodingName;
  out: string;
  port: number;
}

export function demoCommand(): Command {
  const command = new Command("demo")
    .description(
      "One record end to end on this machine: a velocity map, shots modelled over it, an MQTT\n" +
        "broker, one edge process per device that sees its own receivers, one central process that\n" +
        "sees latents alone, and the map that it finds.",
    )
    .addOption(
      new Option("--family <name>", "family of the velocity map")
        .choices(FAMILIES)
        .default("curvevel-a"),
    )
    .option("--seed <n>", "seed of the map", parseIntOption("--seed", 0, 2 ** 32 - 1), 0)
    .option(
      "--map <file>",
      "a velocity map instead: .npy, .npz, .sgy, of the model's grid: (70, 70), (N, 1, 70, 70), m/s",
    )
    .option("--index <k>", "which map", parseIntOption("--index", 0, 2 ** 32 - 1), 0)
    .addOption(
      new Option(
        "--boundary <name>",
        "of the modelling; openfwi: as the data sets, ten times slower",
      )
        .choices(["openfwi", "fast"])
        .default("fast"),
    )
    .option("--out <dir>", "folder for velocity.npy, truth.npy, maps.png, report.html", "demo-out")
    .option("--port <n>", "of the broker; 0 = any free one", parseIntOption("--port", 0, 65535), 0);
  return addJsonOption(addComputeOptions(addEncodingOption(command))).action(
    action((options: Options, called: Command) => {
      if (options.map !== undefined && called.getOptionValueSource("family") === "cli") {
        throw new MisuseError("demo: expected --family or --map, got both");
      }
      return demo(options);
    }),
  );
}

async function demo(options: Options): Promise<void> {
  const stop = stopSignal();
  await checkOutputFolder(options.out);
  const { config, modelId } = await readModel(options.model);
  const { geometry } = config;
  const truth = await readMap(options, geometry);
  const { port, encoding } = options;
  const setup = { geometry, computeArgs: computeArgs(options), port, encoding };
  const cluster = await DemoCluster.create(setup, stop);
  let outcome: DemoOutcome;
  try {
    const begin = performance.now();
    await cluster.start();
    const started = performance.now();
    const traces = await modelShots(truth, geometry, options.boundary);
    const modelled = performance.now();
    const transit = await cluster.transmit(traces);
    outcome = {
      title: options.map ?? `${options.family}, seed ${options.seed}`,
      geometry,
      truth,
      traces,
      transit,
      edges: await cluster.finish(),
      modelId,
      msStart: started - begin,
      msModel: modelled - started,
    };
  } finally {
    await cluster.dispose();
  }
  const summary = summarise(outcome);
  await writeDemoFiles(options.out, outcome, summary);
  if (options.json) printJson(summary);
  else process.stdout.write(`${describeDemo(outcome, summary, options.out)}\n`);
}

/** The children's share of the options. */
function computeArgs({ model, module, turbo }: Options): string[] {
  return [
    ...(model === undefined ? [] : ["--model", model]),
    ...(module === undefined ? [] : ["--module", module]),
    ...(turbo ? ["--turbo"] : []),
  ];
}
