import type { Arena } from "../engine/arena.ts";
import { crc32 } from "../engine/crc32.ts";
import type { EdgeExports, ModuleName } from "../engine/kernels.ts";
import { ABI_VERSION, ALIGNMENT, PLAIN_FORMS } from "../engine/kernels.ts";
import type { OpenModule } from "../engine/openModule.ts";
import type { Geometry } from "./config.ts";
import { planEdge } from "./edgePlan.ts";
import type { ModelFile } from "./modelFile.ts";
import { countOf, latentShape, traceShape } from "./shapes.ts";
import { type KernelCall, runSteps } from "./step.ts";

/** Zeros that are cheaper to copy than to describe as a gap between two segments. */
const GAP_BYTES = 256;

/** The encoder as data, for hosts that run no JavaScript: docs/abi.md, "A device in any host". */
export interface EdgeExport {
  readonly plan: EdgePlanDocument;
  /** The segments' bytes, one after another. */
  readonly image: Uint8Array;
}

/** What `edge.plan.json` holds. Every address is a byte address in the module's memory. */
export interface EdgePlanDocument {
  readonly format: "epic-edge-plan";
  readonly version: 1;
  /** What `abi_version()` of the module must return. */
  readonly abi: number;
  readonly module: ModuleName;
  readonly model: { readonly name: string; readonly id: string };
  readonly geometry: Pick<Geometry, "shots" | "samples" | "receivers" | "dtMs" | "devices">;
  readonly memory: {
    /** The memory must be at least this long before the image is copied; all else in it is zero. */
    readonly bytes: number;
    readonly segments: readonly ImageSegment[];
  };
  readonly traces: Place<"f32">;
  readonly latent: Place<"s8">;
  readonly calls: readonly (KernelCall & { readonly name: string })[];
  readonly check: {
    /** traces[i] in words; every value is exact in f32. */
    readonly traces: string;
    /** Of the latent's bytes after these traces; CRC-32 as in zlib, 8 hex digits. */
    readonly latentCrc32: string;
  };
}

/** `bytes` bytes from `offset` of the image belong at `address`. */
export interface ImageSegment {
  readonly address: number;
  readonly offset: number;
  readonly bytes: number;
}

/** Where an array stands, row-major. */
export interface Place<T> {
  readonly address: number;
  readonly type: T;
  readonly shape: readonly number[];
}

/**
 * Builds the encoder in a fresh module, in the forms that suit any machine, and describes what stands in its memory and what is called.
 * @throws WeightsError when the file is not the edge half of a model
 */
export function exportEdge(module: OpenModule<EdgeExports>, file: ModelFile): EdgeExport {
  const { config, modelId } = file;
  const { arena, exports } = module;
  const base = exports.heap_base();
  const { traces, latent, steps } = planEdge({ ...module, forms: PLAIN_FORMS }, file);
  const top = arena.mark();
  const memory = arena.view(Uint8Array, 0, top).slice();
  const segments = findSegments(memory, base);
  const image = new Uint8Array(segments.reduce((total, { bytes }) => total + bytes, 0));
  for (const { address, offset, bytes } of segments) {
    image.set(memory.subarray(address, address + bytes), offset);
  }
  const places = {
    traces: { address: traces, type: "f32", shape: traceShape(config) },
    latent: { address: latent, type: "s8", shape: latentShape(config) },
  } as const;
  fillCheckTraces(arena.view(Float32Array, traces, countOf(traceShape(config))));
  runSteps(steps);
  const { shots, samples, receivers, dtMs, devices } = config.geometry;
  const plan: EdgePlanDocument = {
    format: "epic-edge-plan",
    version: 1,
    abi: ABI_VERSION,
    module: module.name,
    model: { name: config.name, id: modelId },
    geometry: { shots, samples, receivers, dtMs, devices },
    memory: { bytes: top, segments },
    ...places,
    calls: steps.map(({ name, call }) => ({ name, ...call })),
    check: {
      traces: "(i * 7919 mod 2048 - 1024) / 512",
      latentCrc32: latentCrc(arena, latent, countOf(latentShape(config))),
    },
  };
  return { plan, image };
}

function fillCheckTraces(traces: Float32Array): void {
  for (let i = 0; i < traces.length; i++) traces[i] = (((i * 7919) % 2048) - 1024) / 512;
}

function latentCrc(arena: Arena, address: number, bytes: number): string {
  return crc32(arena.view(Uint8Array, address, bytes))
    .toString(16)
    .padStart(8, "0");
}

/** The parts of `memory` from `base` on that are not zero, in steps of 16 bytes. */
function findSegments(memory: Uint8Array, base: number): ImageSegment[] {
  const segments: ImageSegment[] = [];
  let offset = 0;
  let start = -1;
  let end = 0;
  const close = () => {
    if (start < 0) return;
    segments.push({ address: start, offset, bytes: end - start });
    offset += end - start;
    start = -1;
  };
  for (let at = base; at < memory.length; at += ALIGNMENT) {
    if (memory.subarray(at, at + ALIGNMENT).every((byte) => byte === 0)) continue;
    if (at - end > GAP_BYTES) close();
    if (start < 0) start = at;
    end = Math.min(at + ALIGNMENT, memory.length);
  }
  close();
  return segments;
}
