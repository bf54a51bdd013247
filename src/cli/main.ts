#!/usr/bin/env node
/** `epic`: one command per file of this folder, loaded when it is called. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { fail } from "./common.ts";

interface Entry {
  /** As `epic --help` shows it; the command's own help may say more. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

const commands: Readonly<Record<string, Entry>> = {
  demo: {
    summary: "one record end to end on this machine: map, shots, broker, edges, central, map",
    load: async () => (await import("./demo.ts")).demoCommand(),
  },
  simulate: {
    summary: "model seismic records, as files in OpenFWI's layout",
    load: async () => (await import("./simulate.ts")).simulateCommand(),
  },
  maps: {
    summary: "velocity maps of a family without their records",
    load: async () => (await import("./maps.ts")).mapsCommand(),
  },
  infer: {
    summary: "turn every record of a file into a velocity map",
    load: async () => (await import("./infer.ts")).inferCommand(),
  },
  encode: {
    summary: "the device's half: records in, latent frames out",
    load: async () => (await import("./encode.ts")).encodeCommand(),
  },
  decode: {
    summary: "the central half: latent frames in, velocity maps out",
    load: async () => (await import("./decode.ts")).decodeCommand(),
  },
  eval: {
    summary: "MAE, RMSE and SSIM per family",
    load: async () => (await import("./eval.ts")).evalCommand(),
  },
  edge: {
    summary: "run an end device: encode records as they come, send them until acknowledged",
    load: async () => (await import("./edge.ts")).edgeCommand(),
  },
  central: {
    summary: "run the central node: collect latents, write velocity maps",
    load: async () => (await import("./central.ts")).centralCommand(),
  },
  broker: {
    summary: "run the embedded MQTT broker",
    load: async () => (await import("./broker.ts")).brokerCommand(),
  },
  "export-edge": {
    summary: "the encoder as module, memory image and list of calls, for any WebAssembly host",
    load: async () => (await import("./exportEdge.ts")).exportEdgeCommand(),
  },
  gaps: {
    summary: "account for every record of a survey: complete, or what is missing and why",
    load: async () => (await import("./gaps.ts")).gapsCommand(),
  },
  testbed: {
    summary: "latency, bytes, energy and fidelity against rivals, over emulated links",
    load: async () => (await import("./testbed.ts")).testbedCommand(),
  },
  web: {
    summary: "serve the page: paint the ground, watch the wave, switch devices off",
    load: async () => (await import("./web.ts")).webCommand(),
  },
  bench: {
    summary: "time kernels and stages on this machine",
    load: async () => (await import("./bench.ts")).benchCommand(),
  },
  convert: {
    summary: "records or maps from one file format to another: npy, npz, SEG-Y",
    load: async () => (await import("./convert.ts")).convertCommand(),
  },
  inspect: {
    summary: "describe a model, frame, module, npy, npz or SEG-Y file",
    load: async () => (await import("./inspect.ts")).inspectCommand(),
  },
};

await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  // A reader that has seen enough (`epic ... | head`) is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  // Also what an unhandled rejection becomes.
  process.on("uncaughtException", (error) => {
    fail(error);
    process.exit();
  });
  try {
    const program = await createProgram(args);
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else fail(error);
  }
}

/** The program with the called command in full and the others by name, so that it starts fast. */
async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command("epic")
    .description("EPIC full-waveform inversion on WebAssembly: edge encoders, one central decoder")
    .version(readVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .showSuggestionAfterError(true)
    .configureOutput({ outputError: (text, write) => write(asErrorLine(text)) })
    .exitOverride();
  const named = args.filter((argument) => !argument.startsWith("-"));
  const called = named[0] === "help" ? named[1] : named[0];
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const command = name === called ? await load() : new Command(name);
    program.addCommand(command.summary(summary).copyInheritedSettings(program));
  }
  return program;
}

/** dist/cli/main.js stands two folders below the package. */
function readVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** commander's "error: ..." with a suggestion on a second line becomes one line of ours. */
function asErrorLine(text: string): string {
  return `epic: ${text
    .trim()
    .replace(/^error: /, "")
    .replace(/\s*\n\s*/g, " ")}\n`;
}
