import { describe, expect, test } from "vitest";
import { Arena, builds, type Platform, platforms, scalar } from "./platform.ts";
import { Random } from "./random.ts";
import { readVectors } from "./vectors.ts";

interface InputStageArgs {
  readonly shots: number;
  readonly samples: number;
  readonly receivers: number;
  readonly decimation: number;
  readonly gain: number;
  readonly compand: number;
  readonly step: number;
  readonly outRows: number;
}

/** Gap between output rows, as a padded image has it. */
const GAP_BYTES = 6;

function run(platform: Platform, args: InputStageArgs, x: Float32Array, taps: Float32Array) {
  const arena = new Arena(platform.edge);
  const channels = args.shots * args.receivers;
  const stride = channels * 2 + GAP_BYTES;
  const traces = arena.put(x);
  const filter = arena.put(taps);
  const out = arena.alloc(args.outRows * stride - GAP_BYTES);
  platform.edge.input_stage(
    traces,
    args.shots,
    args.samples,
    args.receivers,
    filter,
    taps.length,
    args.decimation,
    args.gain,
    args.compand,
    args.step,
    out,
    args.outRows,
    stride,
  );
  const codes: number[] = [];
  let touchedGaps = 0;
  for (let t = 0; t < args.outRows; t++) {
    codes.push(...arena.i16(out + t * stride, channels));
    if (t === args.outRows - 1) break;
    for (const byte of arena.bytes(out + t * stride + channels * 2, GAP_BYTES)) {
      if (byte !== 0xa5) touchedGaps++;
    }
  }
  return { codes, touchedGaps, brokenGuards: arena.brokenGuards() };
}

describe.each(builds)("input_stage, $title: golden vectors", ({ platform, reason }) => {
  for (const { args, tensor } of readVectors<InputStageArgs>("input_stage")) {
    test.skipIf(reason !== "")(args.name, () => {
      expect(run(platform!, args, tensor("x"), tensor("taps"))).toEqual({
        codes: [...tensor<Int16Array>("out")],
        touchedGaps: 0,
        brokenGuards: [],
      });
    });
  }
});

describe.each(platforms.slice(1))("input_stage, $name against scalar", (platform) => {
  test("receivers around every multiple of four, records of any length", () => {
    const random = new Random(21);
    for (const receivers of [4, 5, 6, 7, 8, 9, 13]) {
      for (const samples of [1, 6, 7, 8, 9, 25, 64]) {
        const args = {
          ...{ shots: 2, samples, receivers, decimation: 8, gain: 3, compand: 8, step: 1638 },
          outRows: Math.ceil(samples / 8),
        };
        const x = random.float32(2 * samples * receivers, -4, 4);
        const taps = random.float32(13, -1, 1);
        const actual = run(platform, args, x, taps);
        expect(actual, `seed 21, ${samples}x${receivers}`).toEqual(run(scalar, args, x, taps));
        expect(actual).toMatchObject({ touchedGaps: 0, brokenGuards: [] });
      }
    }
  });

  test("other filters and decimations, every decade of amplitude", () => {
    for (let seed = 200; seed < 230; seed++) {
      const random = new Random(seed);
      const samples = random.integer(1, 80);
      const decimation = random.integer(1, 10);
      const args = {
        ...{ shots: 1, samples, receivers: 6, decimation, gain: 1, compand: 8, step: 1638 },
        outRows: Math.ceil(samples / decimation),
      };
      const x = random.float32(samples * 6, -1, 1).map((v) => v * 10 ** random.integer(-12, 37));
      const taps = random.float32(random.integer(1, 20), -0.1, 0.1);
      expect(run(platform, args, x, taps), `seed ${seed}`).toEqual(run(scalar, args, x, taps));
    }
  });
});

test("the last sample of an OpenFWI record is never read", () => {
  const args = {
    ...{ shots: 1, samples: 1000, receivers: 4, decimation: 8, gain: 1, compand: 8, step: 1638 },
    outRows: 125,
  };
  const x = new Random(22).float32(4000, -1, 1);
  const taps = new Float32Array(13).fill(1);
  for (const platform of platforms) {
    const before = run(platform, args, x, taps);
    expect(
      run(
        platform,
        args,
        x.map((v, i) => (i >= 3996 ? 1e6 : v)),
        taps,
      ),
    ).toEqual(before);
    expect(
      run(
        platform,
        args,
        x.map((v, i) => (i >= 3992 ? 1e6 : v)),
        taps,
      ),
    ).not.toEqual(before);
  }
});
