import type { Arena } from "./arena.ts";
import { type KernelExports, packedWeightBytes } from "./kernels.ts";

/**
 * Address of a layer's weights in the layout of one kernel. The module packs them itself: that is one copy into its memory and
 * some tens of microseconds, where packing in JavaScript that no compiler has seen yet is most of what building a plan costs.
 * @param input which kernel: `igemm_s16` or `igemm_u7`
 * @param weight int8 `[n][segments][k / segments]`, -127..127
 */
export function placeWeights(
  { pack_igemm_s16, pack_igemm_u7 }: KernelExports,
  arena: Arena,
  input: "s16" | "u7",
  weight: Int8Array,
  n: number,
  k: number,
  segments: number,
): number {
  const b = arena.alloc(packedWeightBytes(input, n, k, segments));
  const mark = arena.mark();
  const pack = input === "u7" ? pack_igemm_u7 : pack_igemm_s16;
  pack(arena.place(weight), n, segments, k / segments, b);
  arena.release(mark);
  return b;
}
