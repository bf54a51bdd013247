/** `epic inspect` on a WebAssembly module. */
import { readFile } from "node:fs/promises";
import { formatBytes, formatCount } from "../io/format.ts";
import { readWasm, type WasmMemory } from "../io/wasmModule.ts";
import type { Description } from "./description.ts";
import { formatFacts, formatTable } from "./table.ts";

/** Throws WasmFormatError for bytes that are no module. */
export async function describeWasm(path: string): Promise<Description> {
  const bytes = await readFile(path);
  const summary = readWasm(bytes);
  const valid = WebAssembly.validate(bytes);
  const { instructions, features } = summary;
  const facts = formatFacts([
    [
      "wasm module",
      `${formatBytes(bytes.length)}, ${valid ? "valid here" : "not supported by this engine"}`,
    ],
    [
      "code",
      `${summary.functions} functions, ${formatCount(instructions.total)} instructions, ` +
        `${formatCount(instructions.simd)} of them SIMD`,
    ],
    ["features", features.join(", ") || "none beyond the first version"],
    ["imports", summary.imports.join(", ") || "none"],
    ["memory", summary.memories.map(describeMemory).join("; ") || "none"],
  ]);
  const sections = formatTable(
    ["section", "bytes"],
    summary.sections.map(({ name, bytes: size }) => [name, formatCount(size)]),
  );
  const exports = summary.exports.map(
    ({ name, kind, signature }) => `  ${name}${signature ?? ` (${kind})`}`,
  );
  return {
    text: [facts, "", sections, "", "exports", ...exports].join("\n"),
    fields: {
      bytes: bytes.length,
      valid,
      ...summary,
      instructions: { total: instructions.total, simd: instructions.simd },
    },
  };
}

function describeMemory({ minPages, maxPages }: WasmMemory): string {
  const most = maxPages === null ? "without limit" : `up to ${maxPages}`;
  return `${minPages} pages of 64 KiB, ${most}`;
}
