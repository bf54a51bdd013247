/** V8's 256-bit revectorisation of 128-bit WebAssembly code. */
import { setFlagsFromString } from "node:v8";
import { expectWideVectors } from "../engine/wideVectors.ts";

/** First Node whose V8 pairs 128-bit operations inside a module compiled by this process. */
const nodeMajorMin = 24;

/**
 * Turns revectorisation on for modules compiled from now on, in this process and its workers. The
 * bits do not change, only the time. Returns why not, where this engine cannot do it.
 */
export function enableTurbo(
  node: string = process.versions.node,
  architecture: string = process.arch,
): string | undefined {
  if (Number.parseInt(node, 10) < nodeMajorMin) {
    return `turbo: expected Node ${nodeMajorMin} or later, got ${node}; running without it`;
  }
  if (architecture !== "x64") {
    return `turbo: expected an x64 processor, got ${architecture}; running without it`;
  }
  setFlagsFromString("--experimental-wasm-revectorize");
  expectWideVectors();
  return undefined;
}
