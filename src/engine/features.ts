import type { ModuleName } from "./kernels.ts";

/** A module of one function without arguments that gives a v128: header, type section, function section. */
const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0];
/** i32.const 0, i8x16.splat */
const SPLAT = [0x41, 0, 0xfd, 0x0f];
/** i16x8.relaxed_dot_i8x16_i7x16_s */
const RELAXED_DOT = [0xfd, 0x92, 0x02];

const PROBES: Readonly<Record<ModuleName, readonly number[]>> = {
  scalar: [],
  simd: SPLAT,
  relaxed: [...SPLAT, ...SPLAT, ...RELAXED_DOT],
};

/**
 * Whether this engine knows a module's instructions, by one of them: a module that it cannot run need not be loaded.
 * True does not say that the module is valid.
 */
export function knowsInstructionsOf(name: ModuleName): boolean {
  if (typeof WebAssembly === "undefined") return false;
  const code = PROBES[name];
  if (code.length === 0) return true;
  const body = [0, ...code, 0x0b];
  const section = [0x0a, body.length + 2, 1, body.length, ...body];
  return WebAssembly.validate(Uint8Array.from([...HEADER, ...section]));
}
