import { describe, expect, test } from "vitest";
import { Arena } from "../../src/engine/arena.ts";
import { chooseForms } from "../../src/engine/igemmForms.ts";
import {
  type IgemmForms,
  type KernelExports,
  OutKind,
  PLAIN_FORMS,
} from "../../src/engine/kernels.ts";
import { expectWideVectors, hasWideVectors } from "../../src/engine/wideVectors.ts";
import { platforms } from "../kernels/platform.ts";

function choose(exports: KernelExports, name: (typeof platforms)[number]["name"]) {
  return chooseForms(exports, new Arena(exports.memory, exports.heap_base()), name, "");
}

describe.each(platforms)("$name", ({ name, edge, central }) => {
  const relaxed = name === "relaxed";
  const plain: IgemmForms =
    name === "scalar"
      ? PLAIN_FORMS
      : {
          ...PLAIN_FORMS,
          conv1d: "conv1d_pairs_s16",
          conv2d: "winograd3x3_s16",
          convT2d: "winograd2x2_s16",
        };
  /** `edge` with `igemm_u7_dot4` adding `by` to the first f32 it writes. */
  const altered = (by: (sum: number) => number): KernelExports => ({
    ...edge,
    igemm_u7_dot4: (...args) => {
      edge.igemm_u7_dot4(...args);
      const c = new DataView(edge.memory.buffer, args[9], 4);
      if (args[12] === OutKind.f32) c.setFloat32(0, by(c.getFloat32(0, true)), true);
    },
  });

  test("an engine that saturates pairs of products takes the split form", () => {
    expect(
      choose(
        altered((sum) => (sum > 65534 || sum < 0 ? 65534 : sum)),
        name,
      ),
    ).toEqual(plain);
  });

  test.runIf(relaxed)("an engine that does not takes the single instruction", () => {
    const probe = (sum: number) => (sum === 65534 ? 4 * 127 * 255 : sum);
    const u7 = "igemm_u7_dot4";
    expect(choose(altered(probe), name)).toEqual({ ...plain, u7, u7Small: u7, convT2d: "igemm" });
  });

  test.runIf(relaxed)(
    "the form for small weights, where its side has it and none is better",
    () => {
      const { u7, u7Small } = choose(central, name);
      expect(u7Small).toBe(u7 === "igemm_u7" ? "igemm_u7_sum4" : u7);
    },
  );

  test("a form with other bits is not used", () => {
    const wrong = (sum: number) => (sum === 65534 ? 4 * 127 * 255 : sum + 1);
    expect(choose(altered(wrong), name)).toEqual(plain);
  });
});

describe("with 256-bit vectors", () => {
  test.each(platforms)("$name", ({ name, edge }) => {
    expectWideVectors();
    expect(hasWideVectors()).toBe(true);
    const { s16, u7, conv1d } = choose(edge, name);
    expect(conv1d).toBe("igemm");
    expect(s16).toBe(name === "scalar" ? "igemm_s16" : "igemm_s16_4x16");
    expect(u7).toMatch(name === "relaxed" ? /^igemm_u7(_dot4_4x16)?$/ : /^igemm_u7$/);
  });
});
