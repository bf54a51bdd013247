/** Walks the code section to see which instructions a module uses. */
import type { ByteReader } from "./byteReader.ts";

export interface InstructionCount {
  readonly total: number;
  readonly simd: number;
  /** Names of the proposals that the instructions belong to. */
  readonly features: ReadonlySet<string>;
}

/** `code`: the section's content. Throws RangeError for an opcode that it does not know. */
export function countInstructions(code: ByteReader): InstructionCount {
  const counter = new Counter();
  code.repeat(() => counter.body(code.part(code.leb())));
  return counter;
}

class Counter implements InstructionCount {
  total = 0;
  simd = 0;
  readonly features = new Set<string>();

  body(input: ByteReader): void {
    input.repeat(() => {
      input.skipLeb(); // count of locals
      input.byte(); // their type
    });
    while (input.left > 0) {
      this.total++;
      this.#instruction(input);
    }
  }

  #instruction(input: ByteReader): void {
    const opcode = input.byte();
    if (opcode === 0xfd) this.#vector(input);
    else if (opcode === 0xfc) this.#miscellaneous(input);
    else this.#plain(opcode, input);
  }

  #plain(opcode: number, input: ByteReader): void {
    if (opcode >= 0xc0 && opcode <= 0xc4) this.features.add("sign-extension");
    else if (opcode === 0x12 || opcode === 0x13) this.features.add("tail-call");
    else if (opcode >= 0xd0 && opcode <= 0xd2) this.features.add("reference-types");
    const skip = immediates.get(opcode);
    if (!skip) throw unknown(`0x${opcode.toString(16)}`);
    skip(input);
  }

  /** Prefix 0xfd: fixed-width SIMD, and relaxed SIMD from 0x100 on. */
  #vector(input: ByteReader): void {
    const opcode = input.leb();
    this.simd++;
    this.features.add(opcode >= 0x100 ? "relaxed-simd" : "simd");
    const isLoadOrStore = opcode <= 11 || opcode === 92 || opcode === 93;
    if (isLoadOrStore) twoLebs(input);
    else if (opcode === 12 || opcode === 13)
      input.skip(16); // v128.const, i8x16.shuffle
    else if (opcode >= 21 && opcode <= 34)
      input.skip(1); // extract and replace lane
    else if (opcode >= 84 && opcode <= 91) {
      twoLebs(input); // load and store lane
      input.skip(1);
    }
  }

  /** Prefix 0xfc: saturating conversions, bulk memory, tables. */
  #miscellaneous(input: ByteReader): void {
    const opcode = input.leb();
    if (opcode <= 7) {
      this.features.add("nontrapping-fptoint");
      return;
    }
    this.features.add("bulk-memory");
    const count = [2, 1, 2, 1, 2, 1, 2, 1, 1, 1][opcode - 8];
    if (count === undefined) throw unknown(`0xfc ${opcode}`);
    for (let i = 0; i < count; i++) input.skipLeb();
  }
}

type Skip = (input: ByteReader) => void;

const none: Skip = () => {};
const leb: Skip = (input) => input.skipLeb();
const twoLebs: Skip = (input) => {
  input.skipLeb();
  input.skipLeb();
};
const branchTable: Skip = (input) => {
  input.repeat(() => input.skipLeb());
  input.skipLeb();
};

/** How to pass over what follows each one-byte opcode (chapter 5.4, "Instructions"). */
const immediates: ReadonlyMap<number, Skip> = new Map([
  // unreachable, nop, else, end, return, drop, select, ref.is_null
  ...[0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b, 0xd1].map((opcode) => [opcode, none] as const),
  // block, loop, if; br, br_if; call, return_call
  ...[0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10, 0x12].map((opcode) => [opcode, leb] as const),
  // local, global and table access; memory.size, memory.grow; i32.const, i64.const
  ...[...range(0x20, 0x26), ...range(0x3f, 0x42)].map((opcode) => [opcode, leb] as const),
  // ref.null, ref.func
  ...[0xd0, 0xd2].map((opcode) => [opcode, leb] as const),
  // call_indirect, return_call_indirect; loads and stores
  ...[0x11, 0x13, ...range(0x28, 0x3e)].map((opcode) => [opcode, twoLebs] as const),
  [0x0e, branchTable],
  [0x1c, (input: ByteReader) => input.repeat(() => input.byte())], // select with types
  [0x43, (input: ByteReader) => input.skip(4)], // f32.const
  [0x44, (input: ByteReader) => input.skip(8)], // f64.const
  // comparisons, arithmetic, conversions
  ...range(0x45, 0xc4).map((opcode) => [opcode, none] as const),
]);

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function unknown(opcode: string): RangeError {
  return new RangeError(`expected a known instruction, got ${opcode}`);
}
