import { describe, expect, test } from "vitest";
import { type IgemmName, type KernelExports, OutKind } from "../../src/engine/kernels.ts";
import { type Domain, type IgemmProblem, type Result, runIgemm } from "./igemm.ts";
import { builds, platforms, scalar } from "./platform.ts";
import { Random } from "./random.ts";
import { readVectors } from "./vectors.ts";

interface IgemmArgs {
  readonly segments: number;
  readonly segStride: number;
  readonly segValues: number;
  readonly n: number;
  readonly outKind: Result;
}

const RANGE = { s16: [-2047, 2047], u7: [0, 127] } as const;
const RESULTS: readonly Result[] = ["s16", "u7", "s8", "f32"];

const clean = { touchedGaps: 0, brokenGuards: [] };

/** The tests of igemm_s16 or igemm_u7, or of another form of one, on every build. */
export function testIgemm(domain: Domain, form: IgemmName = `igemm_${domain}`): void {
  testGoldenVectors(domain, form);
  testAgainstScalar(domain, form);
}

function testGoldenVectors(domain: Domain, form: IgemmName): void {
  describe.each(builds)(`${form}, $title: golden vectors`, ({ platform, reason }) => {
    for (const { args, tensor } of readVectors<IgemmArgs>("igemm")) {
      if (domain === "u7" && !args.name.includes("u7-")) continue; // activations below 0
      test.skipIf(reason !== "")(args.name, () => {
        const out = tensor<Int16Array | Float32Array>("out");
        const problem = { ...args, ...naturalTensors(tensor), result: args.outKind };
        for (const exports of [platform!.edge, platform!.central]) {
          const actual = runIgemm(exports, domain, problem, undefined, form);
          expect(actual).toEqual({ values: bitsOf(out), ...clean });
        }
      });
    }
  });
}

function testAgainstScalar(domain: Domain, form: IgemmName): void {
  describe.each(platforms.slice(1))(`${form}, $name against scalar`, (platform) => {
    const run = (exports: KernelExports, problem: IgemmProblem, kind?: OutKind) =>
      runIgemm(exports, domain, problem, kind, form);
    const agree = (problem: IgemmProblem, label: string) => {
      const expected = runIgemm(scalar.edge, domain, problem);
      expect(expected, label).toMatchObject(clean);
      expect(run(platform.edge, problem), label).toEqual(expected);
    };

    test("sizes around every multiple", () => {
      const random = new Random(11);
      for (const rows of [1, 3, 4, 5, 8, 9]) {
        for (const n of [1, 7, 8, 9, 16, 17]) {
          for (const values of [1, 2, 3, 4, 5, 7, 8, 9, 16, 31]) {
            const problem = randomProblem(random, domain, rows, n, 1, values, "s16");
            agree(problem, `seed 11, ${rows}x${n}x${values}`);
          }
        }
      }
    });

    test("segments, halos at any offset", () => {
      const random = new Random(12);
      for (const segments of [2, 3]) {
        for (let misalignment = 0; misalignment < 8; misalignment++) {
          if (domain === "s16" && misalignment % 2 === 1) continue;
          for (const result of RESULTS) {
            const problem = randomProblem(random, domain, 6, 12, segments, 12, result);
            agree(
              { ...problem, misalignment },
              `seed 12, ${segments} segments, +${misalignment}, ${result}`,
            );
          }
        }
      }
    });

    test("extremes everywhere", () => {
      const [lo, hi] = RANGE[domain];
      const patterns: ((i: number) => boolean)[] = [() => true, () => false, (i) => i % 2 === 0];
      for (const activation of patterns) {
        for (const sign of patterns) {
          for (const result of RESULTS) {
            const k = 512;
            const problem: IgemmProblem = {
              a: Int16Array.from({ length: 4 * k }, (_, i) => (activation(i) ? hi : lo)),
              aOff: [0, k, 2 * k, 3 * k],
              segments: 1,
              segStride: 0,
              segValues: k,
              weight: Int8Array.from({ length: 8 * k }, (_, i) => (sign(i) ? 127 : -127)),
              n: 8,
              bias: Int32Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? 1e6 : -1e6)),
              scale: new Float32Array(8).fill(1e-4),
              result,
            };
            agree(problem, `${activation} ${sign} ${result}`);
          }
        }
      }
    });

    test("saturation and every output kind", () => {
      const random = new Random(13);
      const scales = [1e30, -1e30, 3.4e38, 1e4, -1e4, 1, 0.5, 1e-38, 0];
      for (const scale of scales) {
        for (const result of RESULTS) {
          const problem = randomProblem(random, domain, 4, 8, 1, 20, result);
          agree({ ...problem, scale: problem.scale.fill(scale) }, `${scale} ${result}`);
        }
        const problem = randomProblem(random, domain, 4, 8, 1, 20, "u7");
        const codes = [OutKind.u7AsInt16, OutKind.u7AsUint8].map((kind) =>
          run(platform.central, problem, kind),
        );
        expect(codes[0]).toEqual(codes[1]);
      }
    });

    test("random layers", () => {
      for (let seed = 100; seed < 160; seed++) {
        const random = new Random(seed);
        const problem = randomProblem(
          random,
          domain,
          random.integer(1, 40),
          random.integer(1, 40),
          random.integer(1, 3),
          4 * random.integer(1, 30),
          RESULTS[random.integer(0, 3)]!,
        );
        agree(problem, `seed ${seed}`);
      }
    });
  });
}

function naturalTensors(tensor: <T extends Int16Array>(name: string) => T) {
  const read = tensor as unknown as <T>(name: string) => T;
  return {
    a: read<Int16Array>("a"),
    aOff: [...read<Uint32Array>("aOff")],
    weight: read<Int8Array>("weight"),
    bias: read<Int32Array>("bias"),
    scale: read<Float32Array>("scale"),
  };
}

/** float32 as bit patterns, integers as they are. */
function bitsOf(values: Int16Array | Float32Array): number[] {
  return values instanceof Float32Array ? [...new Uint32Array(values.buffer)] : [...values];
}

/** Overlapping rows over a random image; offsets are any number of values. */
function randomProblem(
  random: Random,
  domain: Domain,
  rows: number,
  n: number,
  segments: number,
  segValues: number,
  result: Result,
): IgemmProblem {
  const [lo, hi] = RANGE[domain];
  const k = segments * segValues;
  const segStride = segValues + random.integer(0, 9);
  const span = segStride * segments + 40;
  return {
    a: random.int16(span, lo, hi),
    aOff: Array.from({ length: rows }, () => random.integer(0, 39)),
    segments,
    segStride,
    segValues,
    weight: random.int8(n * k, -127, 127),
    n,
    bias: random.int32(n, -100000, 100000),
    scale: random.float32(n, 0, 2000 / (hi * 127 * Math.sqrt(k))),
    result,
  };
}
