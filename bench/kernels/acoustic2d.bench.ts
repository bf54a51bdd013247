/**
 * Twenty time steps of one shot over OpenFWI's survey, warm, on a smooth map; the wave has crossed the
 * grid before anything is timed. `kcell` counts padded cells times steps. The rate stands beside two ceilings measured in the same
 * turns: f32 products and sums in registers, and a sweep over fields of the same size without arithmetic.
 */
import { roundUp } from "../../src/engine/kernels.ts";
import { type Boundary, PADDING, STRIP_CELLS } from "../../src/physics/boundary.ts";
import { AcousticGrid } from "../../src/physics/grid.ts";
import { loadPhysicsModule, type PhysicsModuleName } from "../../src/physics/module.ts";
import { ricker } from "../../src/physics/ricker.ts";
import { OPENFWI_SURVEY } from "../../src/physics/survey.ts";
import type { BenchResult } from "../../src/testbed/bench/benchKernels.ts";
import { openF32Bounds } from "../../src/testbed/bench/peak.ts";
import { median, type Timing, timeInTurns } from "../../src/testbed/bench/timing.ts";
import type { KernelBench } from "../harness.ts";

const STEPS = 20;
const { rows, columns, sampleS, peakHz, receivers, sources } = OPENFWI_SURVEY;

interface Shot {
  readonly name: string;
  readonly module: PhysicsModuleName;
  /** Cells of the padded grid. */
  readonly cells: number;
  readonly run: () => void;
  /** Pressure at the receivers during the last run. */
  readonly record: Float32Array;
}

const bench: KernelBench = async ({ modules, rounds = 5, taskMs = 40 }) => {
  const builds = (["scalar", "simd"] as const).filter((name) => modules?.includes(name) ?? true);
  const results: BenchResult[] = [];
  for (const boundary of ["fast", "openfwi"] as const) {
    const shots = await Promise.all(builds.map((module) => openShot(module, boundary)));
    for (const shot of shots) {
      for (let i = 0; i < 20; i++) shot.run();
      checkEqual(shot, shots[0]!);
    }
    const { cells } = shots[0]!;
    const { registers, sweep } = await openF32Bounds(roundUp(4 * cells, 16));
    const bounds = [
      { name: "f32 registers", run: registers.run },
      { name: "sweep", run: sweep },
    ];
    const timings = timeInTurns([...shots, ...bounds], { rounds, taskMs });
    const [peak, sweeps] = timings.slice(shots.length) as [Timing, Timing];
    // One product and one sum count as one multiply-accumulate, as in the peak.
    const macs = (STEPS * operationsOf(boundary)) / 2;
    results.push(
      ...shots.map(({ name, module }, i): BenchResult => {
        const { medianMs, bestMs } = timings[i]!;
        const ms = median(medianMs);
        return {
          name,
          kernel: "acoustic2d",
          module,
          medianMs: ms,
          bestMs: Math.min(...bestMs),
          spread: (Math.max(...medianMs) - Math.min(...medianMs)) / ms,
          macs,
          gmacs: macs / ms / 1e6,
          // The ceilings are SIMD's.
          peakShare: module === "scalar" ? null : shareOf(bestMs, peak, macs / registers.macs),
          gcells: (cells * STEPS) / ms / 1e6,
          ...(module === "simd" && { memoryShare: shareOf(bestMs, sweeps, STEPS) }),
        };
      }),
    );
  }
  return results;
};

/** f32 products and sums of one time step, counted in assembly/kernels/acoustic2d.ts. */
function operationsOf(boundary: Boundary): number {
  const height = rows + 2 * PADDING[boundary];
  const width = roundUp(columns + 2 * PADDING[boundary], 4);
  const perCell = 16; // laplacian 11, increment 2, flush 2, pressure 1
  if (boundary === "openfwi") return height * width * (perCell + 1);
  const stripZ = STRIP_CELLS * 14 + (STRIP_CELLS - 2) * 7; // per column: zeta; psi, but for the two innermost rows
  const stripX = STRIP_CELLS * 24; // per row
  return height * width * perCell + 2 * (width * stripZ + height * stripX);
}

/** Time of `times` runs of the ceiling over that of the kernel: best run of each round, median over rounds. */
function shareOf(bestMs: readonly number[], ceiling: Timing, times: number): number {
  return median(bestMs.map((ms, round) => (ceiling.bestMs[round]! * times) / ms));
}

export default bench;

async function openShot(module: PhysicsModuleName, boundary: Boundary): Promise<Shot> {
  const { exports, memory } = await loadPhysicsModule(module);
  const grid = new AcousticGrid(OPENFWI_SURVEY, boundary, exports.heap_base());
  const pulseAt = grid.end;
  const receiversAt = pulseAt + 4 * STEPS;
  const recordAt = receiversAt + 4 * receivers.length;
  const recordLength = STEPS * receivers.length;
  memory.grow(Math.ceil((recordAt + 4 * recordLength) / 65536));
  const cells = new Float32Array(memory.buffer);
  grid.writeStruct(memory.buffer);
  const map = Float32Array.from({ length: rows * columns }, (_, i) => 1800 + (i / columns) * 35);
  grid.setMap(map, Math.min(...map), Math.max(...map), cells);
  // The steep middle of the pulse, again and again, keeps the wavefield alive.
  const pulse = ricker(peakHz, sampleS).subarray(50, 50 + STEPS);
  cells.set(pulse, pulseAt / 4);
  const offsets = receivers.map(({ row, column }) => grid.cellOffset(row, column));
  new Uint32Array(memory.buffer).set(offsets, receiversAt / 4);
  const { row, column } = sources[2]!;
  const source = grid.cellOffset(row, column);
  return {
    name: `${STEPS} steps, ${boundary}, ${Math.round((grid.cells * STEPS) / 1000)} kcell`,
    module,
    cells: grid.cells,
    record: cells.subarray(recordAt / 4, recordAt / 4 + recordLength),
    run: () =>
      exports.acoustic2d_shot(
        grid.pointer,
        source,
        pulseAt,
        STEPS,
        receiversAt,
        receivers.length,
        recordAt,
        STEPS,
        0,
      ),
  };
}

function checkEqual(actual: Shot, expected: Shot): void {
  const at = actual.record.findIndex((value, i) => value !== expected.record[i]);
  if (at >= 0) {
    throw new Error(
      `${actual.name} ${actual.module}: expected ${expected.record[at]} at ${at}, ` +
        `got ${actual.record[at]}`,
    );
  }
}
