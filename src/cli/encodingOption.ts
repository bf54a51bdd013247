/** --encoding: how latents are put into frames. */
import { type Command, Option } from "commander";
import { Encoding, type LatentEncoding } from "../protocol/index.ts";

export const ENCODINGS = {
  int8: Encoding.int8,
  "4bit": Encoding.nibble,
  entropy: Encoding.entropy,
} as const;

export type EncodingName = keyof typeof ENCODINGS;

export function addEncodingOption(command: Command): Command {
  return command.addOption(
    new Option(
      "--encoding <name>",
      "latents in frames: 4bit halves the bytes at a small loss, entropy loses no more and takes less",
    )
      .choices(Object.keys(ENCODINGS))
      .default("int8"),
  );
}

/** As people read it: "int8", "packed 4-bit", "entropy-coded 4-bit". */
export function describeEncoding(encoding: LatentEncoding): string {
  return ["int8", "packed 4-bit", "entropy-coded 4-bit"][encoding]!;
}
