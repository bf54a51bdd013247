/**
 * Twenty time steps of one shot over OpenFWI's survey, warm, on a smooth map; the wave has crossed the
 * grid before anything is timed. `kcell` counts padded cells times steps: kcell / us is Gcell/s.
 */
import type { Boundary } from "../../src/physics/boundary.ts";
import { AcousticGrid } from "../../src/physics/grid.ts";
import { loadPhysicsModule, type PhysicsModuleName } from "../../src/physics/module.ts";
import { ricker } from "../../src/physics/ricker.ts";
import { OPENFWI_SURVEY } from "../../src/physics/survey.ts";
import type { BenchResult } from "../../src/testbed/bench/benchKernels.ts";
import { median, timeInTurns } from "../../src/testbed/bench/timing.ts";
import type { KernelBench } from "../harness.ts";

const STEPS = 20;
const { rows, columns, sampleS, peakHz, receivers, sources } = OPENFWI_SURVEY;

interface Shot {
  readonly name: string;
  readonly module: PhysicsModuleName;
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
    const timings = timeInTurns(shots, { rounds, taskMs });
    results.push(
      ...shots.map(({ name, module }, i) => {
        const { medianMs, bestMs } = timings[i]!;
        return {
          name,
          kernel: "acoustic2d",
          module,
          medianMs: median(medianMs),
          bestMs: Math.min(...bestMs),
          spread: (Math.max(...medianMs) - Math.min(...medianMs)) / median(medianMs),
          macs: 0,
          gmacs: null,
          peakShare: null,
        };
      }),
    );
  }
  return results;
};

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
