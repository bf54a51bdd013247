/** What igemm stores; `OutKind` of src/engine/kernels.ts. */
export const OUT_S16: i32 = 0;
export const OUT_U7_AS_I16: i32 = 1;
export const OUT_U7_AS_U8: i32 = 2;
export const OUT_F32: i32 = 3;

/** log2 of the bytes of one stored element. */
// @ts-ignore: decorator
@inline
export function elementShift(outKind: i32): usize {
  if (outKind == OUT_F32) return 2;
  return outKind == OUT_U7_AS_U8 ? 0 : 1;
}
