/**
 * The three builds of each module as a parameter, so that one test body runs on all of them, and
 * an arena that surrounds every buffer with guard bytes.
 */
import { decodeHex } from "../../src/engine/instantiate.ts";
import {
  ALIGNMENT,
  type CentralExports,
  type EdgeExports,
  type KernelExports,
  type ModuleName,
  roundUp,
  SLACK_BYTES,
} from "../../src/engine/kernels.ts";
import { wasmHex as centralRelaxed } from "../../src/engine/wasm/central.relaxed.ts";
import { wasmHex as centralScalar } from "../../src/engine/wasm/central.scalar.ts";
import { wasmHex as centralSimd } from "../../src/engine/wasm/central.simd.ts";
import { wasmHex as edgeRelaxed } from "../../src/engine/wasm/edge.relaxed.ts";
import { wasmHex as edgeScalar } from "../../src/engine/wasm/edge.scalar.ts";
import { wasmHex as edgeSimd } from "../../src/engine/wasm/edge.simd.ts";

export const moduleBytes: Record<
  "edge" | "central",
  Record<ModuleName, Uint8Array<ArrayBuffer>>
> = {
  edge: {
    scalar: decodeHex(edgeScalar),
    simd: decodeHex(edgeSimd),
    relaxed: decodeHex(edgeRelaxed),
  },
  central: {
    scalar: decodeHex(centralScalar),
    simd: decodeHex(centralSimd),
    relaxed: decodeHex(centralRelaxed),
  },
};

/** One build of both modules. */
export interface Platform {
  readonly name: ModuleName;
  readonly edge: EdgeExports;
  readonly central: CentralExports;
}

/** Why a build cannot run here; empty when it can. */
export function missing(name: ModuleName): string {
  if (WebAssembly.validate(moduleBytes.edge[name])) return "";
  return `skipped: Node ${process.versions.node} does not validate ${name} modules`;
}

function load(name: ModuleName): Platform {
  const exports = (side: "edge" | "central") =>
    new WebAssembly.Instance(new WebAssembly.Module(moduleBytes[side][name])).exports as unknown;
  return {
    name,
    edge: exports("edge") as EdgeExports,
    central: exports("central") as CentralExports,
  };
}

export const moduleNames: readonly ModuleName[] = ["scalar", "simd", "relaxed"];

/** Rows for `describe.each`: every build, with the reason in its title where it cannot run. */
export const builds = moduleNames.map((name) => {
  const reason = missing(name);
  return {
    name,
    reason,
    title: reason === "" ? name : `${name} (${reason})`,
    platform: reason === "" ? load(name) : undefined,
  };
});

/** The scalar twins: what the SIMD kernels are compared with. */
export const scalar = builds[0]!.platform!;

/** Builds that run here. */
export const platforms = builds.flatMap((build) => (build.platform ? [build.platform] : []));

export type NumericArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array;

const GUARD_BYTE = 0xa5;

/**
 * Hands out aligned buffers with SLACK_BYTES of guard on both sides. Kernels may read the guard
 * after a buffer (docs/abi.md) but its contents must not matter, and none may be written.
 */
export class Arena {
  readonly #memory: WebAssembly.Memory;
  readonly #guards: number[] = [];
  #top: number;

  constructor(exports: KernelExports) {
    this.#memory = exports.memory;
    this.#top = exports.heap_base();
  }

  /** Address of `bytes` bytes holding GUARD_BYTE; `misalignment` is added to an aligned address. */
  alloc(bytes: number, misalignment = 0): number {
    const address = roundUp(this.#top, ALIGNMENT) + SLACK_BYTES + misalignment;
    const end = address + bytes + SLACK_BYTES;
    const missingBytes = end - this.#memory.buffer.byteLength;
    if (missingBytes > 0) this.#memory.grow(Math.ceil(missingBytes / 65536));
    new Uint8Array(this.#memory.buffer, address - SLACK_BYTES, end - address + SLACK_BYTES).fill(
      GUARD_BYTE,
    );
    this.#guards.push(address - SLACK_BYTES, address + bytes);
    this.#top = end;
    return address;
  }

  /** Address of a copy of `values`. */
  put(values: NumericArray, misalignment = 0): number {
    const address = this.alloc(values.byteLength, misalignment);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    new Uint8Array(this.#memory.buffer).set(bytes, address);
    return address;
  }

  /** Copy of the bytes at `address`. */
  bytes(address: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer, address, length).slice();
  }

  i16(address: number, length: number): Int16Array {
    return new Int16Array(this.bytes(address, length * 2).buffer);
  }

  f32(address: number, length: number): Float32Array {
    return new Float32Array(this.bytes(address, length * 4).buffer);
  }

  /** Guard bytes that changed, as a list of addresses; empty when all is well. */
  brokenGuards(): number[] {
    const memory = new Uint8Array(this.#memory.buffer);
    const broken: number[] = [];
    for (const guard of this.#guards) {
      for (let i = guard; i < guard + SLACK_BYTES; i++) {
        if (memory[i] !== GUARD_BYTE) broken.push(i);
      }
    }
    return broken;
  }
}
