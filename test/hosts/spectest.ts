/**
 * wabt's interpreter takes scripts of modules, calls and expected results. The edge module stays as it is; a second module imports its
 * memory and functions, brings the plan's image and the traces as data, and makes the plan's calls.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EdgePlanDocument } from "../../src/model/edgeExport.ts";
import type { KernelCall } from "../../src/model/step.ts";
import { bytesOf } from "./golden.ts";

/** Text of the module that plays the host. */
export function hostModule(folder: string, traces: Float32Array): string {
  const plan = readPlan(folder);
  const image = readFileSync(join(folder, "edge.bin"));
  const names = [...new Set(plan.calls.map((call) => call.export))];
  const imports = names.map((name) => {
    const call = plan.calls.find((candidate) => candidate.export === name)!;
    const types = call.args.map((_, i) => typeOf(call, i)).join(" ");
    return `(import "edge" "${name}" (func $${name} (param ${types})))`;
  });
  const data = plan.memory.segments.map(({ address, offset, bytes }) =>
    dataAt(address, image.subarray(offset, offset + bytes)),
  );
  const calls = plan.calls.map((call) => {
    const constants = call.args.map((value, i) => `(${typeOf(call, i)}.const ${value})`);
    return `(call $${call.export} ${constants.join(" ")})`;
  });
  return [
    '(module (import "edge" "memory" (memory 1))',
    ...imports,
    ...data,
    dataAt(plan.traces.address, bytesOf(traces)),
    `(func (export "encode") ${calls.join("\n")})`,
    `(func (export "word") (param i32) (result i64)
      (i64.load (i32.add (i32.const ${plan.latent.address}) (local.get 0)))))`,
  ].join("\n");
}

/** The script: encode, then every eight bytes of the latent must be those expected. Returns how many of its commands are tests. */
export function writeScript(path: string, edge: string, host: string, latent: Int8Array): number {
  const view = new DataView(latent.buffer, latent.byteOffset, latent.byteLength);
  const words = Array.from({ length: latent.length / 8 }, (_, i) => ({
    ...invoke("word", [{ type: "i32", value: String(8 * i) }]),
    expected: [{ type: "i64", value: String(view.getBigUint64(8 * i, true)) }],
  }));
  const commands = [
    { type: "module", line: 1, filename: edge },
    { type: "register", line: 2, as: "edge" },
    { type: "module", line: 3, filename: host },
    { ...invoke("encode", []), expected: [] },
    ...words,
  ];
  writeFileSync(path, JSON.stringify({ source_filename: "host.wast", commands }));
  return commands.length - 1;
}

function invoke(field: string, args: readonly object[]) {
  return { type: "assert_return", line: 4, action: { type: "invoke", field, args } };
}

function readPlan(folder: string): EdgePlanDocument {
  return JSON.parse(readFileSync(join(folder, "edge.plan.json"), "utf8"));
}

function typeOf({ f32 }: KernelCall, argument: number): "i32" | "f32" {
  return f32.includes(argument) ? "f32" : "i32";
}

function dataAt(address: number, bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
  return `(data (i32.const ${address}) "${text}")`;
}
