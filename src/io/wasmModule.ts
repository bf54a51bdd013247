/**
 * What a WebAssembly binary declares: sections, imports, exports, memory, and the proposals its code
 * needs (WebAssembly core specification 3.0, chapter 5, "Binary Format").
 */
import { ByteReader } from "./byteReader.ts";
import { countInstructions, type InstructionCount } from "./wasmCode.ts";

export class WasmFormatError extends Error {
  override readonly name = "WasmFormatError";
}

export interface WasmSection {
  /** `code`, or `custom "name"`. */
  readonly name: string;
  readonly bytes: number;
}

export interface WasmMemory {
  /** Pages of 64 KiB. */
  readonly minPages: number;
  /** Null when it may grow without limit. */
  readonly maxPages: number | null;
}

export interface WasmExport {
  readonly name: string;
  readonly kind: string;
  /** `(i32, i32) -> f32` of a function. */
  readonly signature?: string;
}

export interface WasmSummary {
  readonly sections: readonly WasmSection[];
  /** `module.name kind` */
  readonly imports: readonly string[];
  readonly exports: readonly WasmExport[];
  readonly memories: readonly WasmMemory[];
  readonly functions: number;
  readonly instructions: InstructionCount;
  /** Proposals beyond the MVP that the code uses: "simd", "relaxed-simd", "bulk-memory", ... */
  readonly features: readonly string[];
}

const sectionNames = [
  "custom",
  "type",
  "import",
  "function",
  "table",
  "memory",
  "global",
  "export",
  "start",
  "element",
  "code",
  "data",
  "data count",
  "tag",
];
const externKinds = ["function", "table", "memory", "global", "tag"];
const valueTypes: Readonly<Record<number, string>> = {
  127: "i32",
  126: "i64",
  125: "f32",
  124: "f64",
  123: "v128",
  112: "funcref",
  111: "externref",
};

interface ExportEntry {
  readonly name: string;
  readonly kind: string;
  readonly index: number;
}

/** Throws WasmFormatError for bytes that are no module; does not validate the code. */
export function readWasm(bytes: Uint8Array): WasmSummary {
  try {
    return new Reader(bytes).read();
  } catch (error) {
    if (error instanceof RangeError) throw new WasmFormatError(`wasm: ${error.message}`);
    throw error;
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #sections: WasmSection[] = [];
  readonly #imports: string[] = [];
  readonly #exports: ExportEntry[] = [];
  readonly #memories: WasmMemory[] = [];
  readonly #types: string[] = [];
  /** Type index of every function, imported ones first. */
  readonly #functions: number[] = [];
  #importedFunctions = 0;
  #instructions: InstructionCount = { total: 0, simd: 0, features: new Set() };

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(): WasmSummary {
    const input = new ByteReader(this.#bytes);
    if (input.text(4) !== "\0asm")
      throw new WasmFormatError("wasm: expected \\0asm, got other bytes");
    const version = input.u32();
    if (version !== 1) throw new WasmFormatError(`wasm: expected version 1, got ${version}`);
    while (input.left > 0) {
      const id = input.byte();
      const body = input.part(input.leb());
      this.#sections.push({ name: sectionName(id, body), bytes: body.left });
      this.#section(id, body);
    }
    return {
      sections: this.#sections,
      imports: this.#imports,
      exports: this.#exports.map((entry) => this.#describe(entry)),
      memories: this.#memories,
      functions: this.#functions.length - this.#importedFunctions,
      instructions: this.#instructions,
      features: [...this.#features()].sort(),
    };
  }

  #section(id: number, body: ByteReader): void {
    const name = sectionNames[id];
    if (name === "type") body.repeat(() => this.#types.push(readSignature(body)));
    else if (name === "import") body.repeat(() => this.#import(body));
    else if (name === "function") body.repeat(() => this.#functions.push(body.leb()));
    else if (name === "memory") body.repeat(() => this.#memories.push(readLimits(body)));
    else if (name === "export") body.repeat(() => this.#exports.push(readExport(body)));
    else if (name === "code") this.#instructions = countInstructions(body);
  }

  /** An engine without bulk memory refuses a module with a data count, used or not. */
  #features(): Set<string> {
    const features = new Set(this.#instructions.features);
    if (this.#sections.some(({ name }) => name === "data count")) features.add("bulk-memory");
    return features;
  }

  /** Types come before exports in a module, so every index is known by now. */
  #describe({ name, kind, index }: ExportEntry): WasmExport {
    if (kind !== "function") return { name, kind };
    return { name, kind, signature: this.#types[this.#functions[index] ?? -1] ?? "?" };
  }

  #import(body: ByteReader): void {
    const module = body.text(body.leb());
    const name = body.text(body.leb());
    const kind = externKinds[body.byte()] ?? "?";
    this.#imports.push(`${module}.${name} ${kind}`);
    if (kind === "function") {
      this.#functions.push(body.leb());
      this.#importedFunctions++;
    } else if (kind === "memory") {
      this.#memories.push(readLimits(body));
    } else if (kind === "table") {
      body.byte();
      readLimits(body);
    } else {
      body.byte();
      body.byte();
    }
  }
}

function sectionName(id: number, body: ByteReader): string {
  const name = sectionNames[id];
  if (name === undefined) throw new WasmFormatError(`wasm: expected section 0 to 13, got ${id}`);
  if (name !== "custom") return name;
  const start = body.position;
  const custom = body.text(body.leb());
  body.position = start;
  return `custom "${custom.replace(/[^\x20-\x7e]/g, "?")}"`;
}

function readExport(body: ByteReader): ExportEntry {
  const name = body.text(body.leb());
  const kind = externKinds[body.byte()] ?? "?";
  return { name, kind, index: body.leb() };
}

function readSignature(body: ByteReader): string {
  const form = body.byte();
  if (form !== 0x60) throw new WasmFormatError(`wasm: expected a function type, got ${form}`);
  const types = () => {
    const names: string[] = [];
    body.repeat(() => names.push(valueTypes[body.byte()] ?? "?"));
    return names.join(", ");
  };
  const parameters = types();
  return `(${parameters}) -> ${types() || "()"}`;
}

/** Flag bit 0: a maximum follows; bit 1 (shared) and bit 2 (64-bit) do not change the layout. */
function readLimits(body: ByteReader): WasmMemory {
  const hasMaximum = (body.byte() & 1) === 1;
  const minPages = body.leb();
  return { minPages, maxPages: hasMaximum ? body.leb() : null };
}
