import { describe, expect, it } from "vitest";
import { CURVE_SITES, splineCurve } from "../../src/physics/families/curve.ts";
import { blur, imageTexture, standardise } from "../../src/physics/families/texture.ts";
import { cosTurns, Random, sinTurns } from "../../src/physics/random.ts";

describe("Random", () => {
  it("follows the reference xoshiro128** from state 1, 2, 3, 4", () => {
    const random = new Random(1, 2, 3, 4);
    const drawn = Array.from({ length: 6 }, () => random.bits());
    expect(drawn).toEqual(referenceXoshiro([1n, 2n, 3n, 4n], 6));
    expect(drawn.slice(0, 4)).toEqual([11520, 0, 5927040, 70819200]);
  });

  it("draws uniform numbers, integers and near-normal numbers", () => {
    const random = Random.of("test", 7);
    const sums = { uniform: 0, normal: 0, power: 0 };
    const faces = new Array(6).fill(0);
    const count = 60000;
    for (let i = 0; i < count; i++) {
      sums.uniform += random.uniform(2, 4) / count;
      const normal = random.normal();
      sums.normal += normal / count;
      sums.power += (normal * normal) / count;
      faces[random.integer(0, 5)]++;
    }
    // Four standard errors or more.
    expect(sums.uniform).toBeCloseTo(3, 1.8);
    expect(Math.abs(sums.normal)).toBeLessThan(0.017);
    expect(Math.abs(sums.power - 1)).toBeLessThan(0.024);
    for (const face of faces) expect(Math.abs(face - count / 6)).toBeLessThan(400);
  });

  it("gives each name and key a stream of its own", () => {
    const firsts = [
      Random.of("a", 1, 2),
      Random.of("b", 1, 2),
      Random.of("a", 2, 1),
      Random.of("a", 1, 3),
      Random.of("a", 0, 0),
      Random.of("a", 0),
    ].map((random) => random.bits());
    expect(new Set(firsts).size).toBe(firsts.length);
  });
});

describe("sinTurns and cosTurns", () => {
  it("agree with Math to 1e-7", () => {
    for (let turns = -3; turns <= 3; turns += 0.0137) {
      expect(Math.abs(sinTurns(turns) - Math.sin(2 * Math.PI * turns))).toBeLessThan(1e-7);
      expect(Math.abs(cosTurns(turns) - Math.cos(2 * Math.PI * turns))).toBeLessThan(1e-7);
    }
  });
});

describe("splineCurve", () => {
  const values = [3, -2, 5, 1, 0, 8, -4, 2];
  const curve = splineCurve(values);

  it("passes through its sites", () => {
    for (let site = 0; site < 7; site++) {
      expect(curve[CURVE_SITES[site]!]).toBeCloseTo(values[site]!, 10);
    }
  });

  it("is a parabola between knots, with no step in slope at them", () => {
    const bend = (x: number) => curve[x + 1]! - 2 * curve[x]! + curve[x - 1]!;
    for (const [from, to] of [
      [1, 19],
      [21, 29],
      [31, 39],
      [41, 49],
      [51, 59],
      [61, 68],
    ] as const) {
      for (let x = from; x <= to; x++) expect(bend(x)).toBeCloseTo(bend(from), 10);
    }
    // Across a knot the second difference is the mean of its neighbours if the slope is continuous.
    for (const knot of [20, 30, 40, 50, 60]) {
      expect(bend(knot)).toBeCloseTo((bend(knot - 1) + bend(knot + 1)) / 2, 10);
    }
  });

  it("is level through equal values", () => {
    for (const depth of splineCurve(new Array(8).fill(4))) expect(depth).toBeCloseTo(4, 10);
  });
});

describe("imageTexture", () => {
  it("has mean 0 and deviation 1", () => {
    const image = imageTexture(Random.of("test", 1));
    const mean = image.reduce((a, b) => a + b, 0) / image.length;
    const power = image.reduce((a, b) => a + b * b, 0) / image.length;
    expect(mean).toBeCloseTo(0, 10);
    expect(power).toBeCloseTo(1, 10);
  });

  it("leaves an image of one value at zero", () => {
    expect(
      standardise(new Float64Array(4900).fill(3)).every((value) => Math.abs(value) < 1e-9),
    ).toBe(true);
  });
});

describe("blur", () => {
  it("spreads a point to the stated deviation and keeps its sum", () => {
    const image = new Float64Array(4900);
    image[35 * 70 + 35] = 1;
    const out = blur(image, 2, 3);
    let [sum, spread] = [0, 0];
    out.forEach((value, i) => {
      sum += value;
      spread += value * ((i % 70) - 35) ** 2;
    });
    expect(sum).toBeCloseTo(1, 10);
    expect(spread).toBeCloseTo((3 * 24) / 12, 8);
  });
});

/** xoshiro128** 1.1 as published, on unbounded integers. */
function referenceXoshiro(state: bigint[], count: number): number[] {
  const word = (x: bigint) => BigInt.asUintN(32, x);
  const rotate = (x: bigint, k: bigint) => word((x << k) | (x >> (32n - k)));
  const s = [...state] as [bigint, bigint, bigint, bigint];
  return Array.from({ length: count }, () => {
    const result = word(rotate(word(s[1] * 5n), 7n) * 9n);
    const t = word(s[1] << 9n);
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 11n);
    return Number(result);
  });
}
