/** Times the network's parts as a user calls them, on a given model. */
import { CentralDecoder } from "../../central/decoder.ts";
import { EdgeEncoder } from "../../edge/encoder.ts";
import type { ModuleName } from "../../engine/kernels.ts";
import { seededIntegers } from "../../engine/seeded.ts";
import type { BenchResult } from "./benchKernels.ts";
import type { PeakKind } from "./case.ts";
import { openPeak, type PeakLoop } from "./peak.ts";
import { median, type Task, type Timing, type TimingOptions, timeInTurns } from "./timing.ts";

/**
 * encoder: one device's traces to its latent, copies and checks included. central: tokens, fusion
 * and cross-attention. decoder: its image to the map. full: all devices, then central and decoder.
 */
export const stageNames = ["encoder", "central", "decoder", "full"] as const;
export type StageName = (typeof stageNames)[number];

export interface ModelWeights {
  readonly edge: Uint8Array;
  readonly central: Uint8Array;
}

interface StageTask extends Task {
  readonly name: StageName;
  readonly macs: number;
}

/** One module with the model loaded, and the ceiling of its instructions. */
interface LoadedModule {
  readonly module: ModuleName;
  readonly tasks: readonly StageTask[];
  readonly peak: PeakLoop;
  dispose(): void;
}

/**
 * One row per stage and module. The modules of a stage and the peaks of their instructions take
 * turns, so that a slow spell of the machine hits all of them.
 * @throws RangeError when this engine lacks a module
 */
export async function benchStages(
  weights: ModelWeights,
  names: readonly StageName[],
  modules: readonly ModuleName[],
  timing: TimingOptions,
): Promise<BenchResult[]> {
  const loaded: LoadedModule[] = [];
  try {
    for (const module of modules) loaded.push(await load(weights, module));
    return names.flatMap((name) => benchStage(name, loaded, timing));
  } finally {
    for (const module of loaded) module.dispose();
  }
}

function benchStage(
  name: StageName,
  loaded: readonly LoadedModule[],
  timing: TimingOptions,
): BenchResult[] {
  const tasks = loaded.map((module) => module.tasks.find((task) => task.name === name)!);
  const peaks = loaded.map(({ module, peak }) => ({ name: `peak ${module}`, run: peak.run }));
  const timings = timeInTurns([...tasks, ...peaks], timing);
  return loaded.map(({ module, peak }, i) => {
    const peakRates = rates(peak.macs, timings[loaded.length + i]!);
    return rowOf(name, module, tasks[i]!.macs, timings[i]!, peakRates);
  });
}

async function load(weights: ModelWeights, module: ModuleName): Promise<LoadedModule> {
  const encoder = await EdgeEncoder.load({ weights: weights.edge, module });
  const decoder = await CentralDecoder.load({ weights: weights.central, module });
  const { registers: peak } = await openPeak(peakKinds[module]);
  const dispose = () => {
    encoder.dispose();
    decoder.dispose();
  };
  return { module, tasks: stageTasks(encoder, decoder), peak, dispose };
}

/** The instructions that do a module's multiplications. */
const peakKinds: Readonly<Record<ModuleName, PeakKind>> = {
  scalar: "i32",
  simd: "s16",
  relaxed: "u7",
};

function stageTasks(encoder: EdgeEncoder, decoder: CentralDecoder): StageTask[] {
  const { geometry, latent } = encoder.config;
  const random = seededIntegers(1);
  const traces = geometry.devices.map(({ receivers }) =>
    Float32Array.from(
      { length: geometry.shots * geometry.samples * receivers },
      () => random(-1000, 1000) / 500,
    ),
  );
  const latentLength = latent.slots * latent.channels;
  const latents = new Int8Array(geometry.devices.length * latentLength);
  const parts = geometry.devices.map((_, device) =>
    latents.subarray(device * latentLength, (device + 1) * latentLength),
  );
  const encode = (device: number) =>
    encoder.encode(traces[device]!, { device, out: parts[device]! });
  const full = () => {
    for (let device = 0; device < traces.length; device++) encode(device);
    decoder.decode(latents);
  };
  full(); // fills the decoder's memory, for the stages that run on what stands there
  const encoderMacs = encoder.stages.reduce((sum, { macs }) => sum + macs, 0);
  const [central, image] = [stageOf(decoder, "central"), stageOf(decoder, "decoder")];
  return [
    { name: "encoder", macs: encoderMacs, run: () => void encode(0) },
    { name: "central", macs: central.macs, run: central.run },
    { name: "decoder", macs: image.macs, run: image.run },
    { name: "full", macs: traces.length * encoderMacs + central.macs + image.macs, run: full },
  ];
}

function stageOf(decoder: CentralDecoder, name: "central" | "decoder") {
  return decoder.stages.find((stage) => stage.name === name)!;
}

function rowOf(
  name: StageName,
  module: ModuleName,
  macs: number,
  timing: Timing,
  peakRates: readonly number[],
): BenchResult {
  const medianMs = median(timing.medianMs);
  const shares = rates(macs, timing).map((rate, round) => rate / peakRates[round]!);
  return {
    name,
    kernel: "stage",
    module,
    medianMs,
    bestMs: Math.min(...timing.bestMs),
    spread: (Math.max(...timing.medianMs) - Math.min(...timing.medianMs)) / medianMs,
    macs,
    gmacs: macs / medianMs / 1e6,
    peakShare: median(shares),
  };
}

/** GMAC/s of each round's best run. */
function rates(macs: number, { bestMs }: Timing): number[] {
  return bestMs.map((ms) => macs / ms / 1e6);
}
