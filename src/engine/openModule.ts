import { Arena } from "./arena.ts";
import { knowsInstructionsOf } from "./features.ts";
import { chooseForms } from "./igemmForms.ts";
import { instantiateWasm } from "./instantiate.ts";
import {
  ABI_VERSION,
  type IgemmForms,
  type KernelExports,
  type ModuleName,
  type Tiles,
} from "./kernels.ts";
import { isEmulated } from "./speed.ts";
import { hasWideVectors } from "./wideVectors.ts";

/** One side's modules, one per instruction set, and the bits they must all give. */
export interface ModuleFamily<T extends KernelExports> {
  readonly side: "edge" | "central";
  /** Reads a module; only those that are tried are read. */
  readonly source: Readonly<Record<ModuleName, () => Promise<Uint8Array<ArrayBuffer>>>>;
  /** Runs seeded cases in memory it takes from `arena`; returns a hash of all outputs, a uint32. */
  readonly selfTest: (exports: T, arena: Arena, tiles: Tiles) => number;
  readonly selfTestHash: number;
}

/** Which of a side's modules to open. */
export interface ModuleOptions {
  /** This instruction set and no other. Default: the fastest that works here. */
  readonly module?: ModuleName;
  /**
   * The module compiled already, for hosts that compile none while they run (Cloudflare Workers):
   * that of the package's `wasm/` files which `module` names.
   */
  readonly compiled?: WebAssembly.Module;
}

/** A module that passed its self-test, and why it is this one. */
export interface OpenModule<T> {
  readonly exports: T;
  /** The module's memory above its own constants, all zero. */
  readonly arena: Arena;
  readonly memory: WebAssembly.Memory;
  readonly name: ModuleName;
  readonly forms: IgemmForms;
  readonly reason: string;
}

const NEEDS: Readonly<Record<ModuleName, string>> = {
  relaxed: "relaxed SIMD, which this engine lacks (Node 22+ has it)",
  simd: "SIMD, which this engine lacks (Node 16+ has it)",
  scalar: "WebAssembly, which this engine lacks",
};

/**
 * Opens the best module that this engine runs correctly: `relaxed` where the engine has one
 * instruction for four products of bytes, or half a millisecond of timing does not find its
 * instructions emulated; else `simd`, else `scalar`. All of them give the same bits.
 * @param family the side's modules
 * @throws RangeError when `module` is no module or not supported here, or `compiled` is nameless
 * @throws Error when no module, or not the requested one, passes its self-test
 */
export async function openModule<T extends KernelExports>(
  family: ModuleFamily<T>,
  { module, compiled }: ModuleOptions = {},
): Promise<OpenModule<T>> {
  if (module !== undefined) return openRequested(family, module, compiled);
  if (compiled !== undefined) {
    throw new RangeError("module: expected the name of the compiled module, got none");
  }
  const relaxed = await tryModule(family, "relaxed");
  if (relaxed.ok) {
    // Nothing in plain SIMD comes near it, and it takes no timing to tell.
    const isDot4 = relaxed.module.forms.u7 !== "igemm_u7";
    if (isDot4)
      return withReason(relaxed.module, "self-test passed; one instruction for four products");
    if (!isEmulated(relaxed.module)) {
      return withReason(relaxed.module, "self-test passed; not emulated here");
    }
  }
  const simd = await tryModule(family, "simd");
  if (simd.ok) {
    const reason = relaxed.ok ? "relaxed is emulated here" : why(relaxed);
    return withReason(simd.module, `self-test passed; ${reason}`);
  }
  if (relaxed.ok) return withReason(relaxed.module, `self-test passed; ${why(simd)}`);
  const scalar = await tryModule(family, "scalar");
  const others = `${why(relaxed)}; ${why(simd)}`;
  if (scalar.ok) return withReason(scalar.module, `self-test passed; ${others}`);
  throw new Error(`module: no ${family.side} module works here: ${others}; ${why(scalar)}`);
}

async function openRequested<T extends KernelExports>(
  family: ModuleFamily<T>,
  name: ModuleName,
  compiled: WebAssembly.Module | undefined,
): Promise<OpenModule<T>> {
  if (!Object.hasOwn(NEEDS, name)) {
    throw new RangeError(`module: expected ${Object.keys(NEEDS).join(", ")}, got ${name}`);
  }
  const attempt = compiled ? await trySelf(family, name, compiled) : await tryModule(family, name);
  if (attempt.ok) return withReason(attempt.module, "asked for; self-test passed");
  if (!attempt.supported) throw new RangeError(`module: ${attempt.why}`);
  throw new Error(`module: ${attempt.why}`);
}

type Attempt<T> =
  | { readonly ok: true; readonly module: OpenModule<T> }
  | { readonly ok: false; readonly supported: boolean; readonly why: string };

async function tryModule<T extends KernelExports>(
  family: ModuleFamily<T>,
  name: ModuleName,
): Promise<Attempt<T>> {
  const unsupported = { ok: false, supported: false, why: `${name} needs ${NEEDS[name]}` } as const;
  if (!knowsInstructionsOf(name)) return unsupported;
  const bytes = await family.source[name]();
  try {
    return await trySelf(family, name, bytes);
  } catch (error) {
    // Compiling says whether the module is valid; asking before would look at all of it twice.
    if (error instanceof WebAssembly.CompileError) return unsupported;
    throw error;
  }
}

async function trySelf<T extends KernelExports>(
  family: ModuleFamily<T>,
  name: ModuleName,
  module: Uint8Array<ArrayBuffer> | WebAssembly.Module,
): Promise<Attempt<T>> {
  const { exports, memory } = await instantiateWasm<T>(module);
  const version = exports.abi_version();
  if (version !== ABI_VERSION) {
    return { ok: false, supported: true, why: `${name} has ABI ${version}, not ${ABI_VERSION}` };
  }
  const arena = new Arena(memory, exports.heap_base());
  const hash = selfTestHash(family, exports, arena, "");
  if (hash !== family.selfTestHash) {
    const got = `hash ${hex(hash)} instead of ${hex(family.selfTestHash)}`;
    return { ok: false, supported: true, why: `${name} failed its self-test (${got})` };
  }
  const isWide = hasWideVectors() && selfTestHash(family, exports, arena, "_4x16") === hash;
  const forms = chooseForms(exports, arena, name, isWide ? "_4x16" : "");
  return { ok: true, module: { exports, arena, memory, name, forms, reason: "" } };
}

function selfTestHash<T extends KernelExports>(
  family: ModuleFamily<T>,
  exports: T,
  arena: Arena,
  tiles: Tiles,
): number {
  const mark = arena.mark();
  const hash = family.selfTest(exports, arena, tiles);
  arena.release(mark);
  return hash;
}

function withReason<T>(module: OpenModule<T>, reason: string): OpenModule<T> {
  return { ...module, reason: `${module.name}: ${reason}` };
}

function why<T>(attempt: Attempt<T>): string {
  return attempt.ok ? "" : attempt.why;
}

function hex(hash: number): string {
  return hash.toString(16).padStart(8, "0");
}
