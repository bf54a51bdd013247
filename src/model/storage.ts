import { type ModuleName, OutKind, usesUint8Activations } from "../engine/kernels.ts";
import type { Element } from "./config.ts";

/** How a tensor stands in module memory, and what kernels that write it clamp to. */
export interface Storage {
  readonly bytes: number;
  readonly outKind: OutKind;
  readonly lo: number;
  readonly hi: number;
}

/** Largest absolute code of what a layer reads: docs/numbers.md, "Element types". */
export const CODE_MAX = { trace: 16383, s16: 2047, u7: 127, latent: 128 } as const;

/**
 * `s8` here is a latent before it is packed: int16 clamped to +-127.
 * @param asBytes whether codes 0..127 are uint8: what their reader multiplies, no matter who writes them
 */
export function storageOf(element: Element, asBytes: boolean): Storage {
  switch (element) {
    case "s16":
      return { bytes: 2, outKind: OutKind.s16, lo: -CODE_MAX.s16, hi: CODE_MAX.s16 };
    case "s8":
      return { bytes: 2, outKind: OutKind.s16, lo: -127, hi: 127 };
    case "f32":
      return { bytes: 4, outKind: OutKind.f32, lo: 0, hi: 0 };
    case "u7":
      return asBytes
        ? { bytes: 1, outKind: OutKind.u7AsUint8, lo: 0, hi: CODE_MAX.u7 }
        : { bytes: 2, outKind: OutKind.u7AsInt16, lo: 0, hi: CODE_MAX.u7 };
  }
}

/** As this module's products like it best. */
export function moduleStorage(element: Element, module: ModuleName): Storage {
  return storageOf(element, usesUint8Activations(module));
}

export function isBytes({ outKind }: Storage): boolean {
  return outKind === OutKind.u7AsUint8;
}
