import { FrameError } from "./frameError.ts";
import { NIBBLE_MAX, NIBBLE_STEP, nibbleOf } from "./nibble.ts";

/** Symbols of the coder: nibbles -7..7. */
export const SYMBOLS = 2 * NIBBLE_MAX + 1;
/** Classes of the nibble one slot earlier in the same channel: up to -4, to -1, 0, to 3, above. */
export const CLASSES = 5;
/** A row of frequencies sums to 2^12. */
const TOTAL_BITS = 12;
const TOTAL = 1 << TOTAL_BITS;
/** The state stays in [2^23, 2^31) and moves by whole bytes: exact in 32-bit integers. */
const STATE_MIN = 2 ** 23;
const STATE_END = 2 ** 31;
const STATE_BYTES = 4;

/** The static tables of a model's latents; they travel with the weights. */
export interface LatentTables {
  readonly slots: number;
  readonly channels: number;
  /** [tables][15]: how often nibble -7..7 came in training, of 4096; each at least 1. */
  readonly frequencies: Uint16Array;
  /** [slots][channels][5]: which table a value uses, by the class of the nibble one slot earlier. */
  readonly contexts: Uint8Array;
}

/**
 * Encoding 2: the nibbles of encoding 1 under a static entropy coder (rANS: J. Duda 2013,
 * arXiv:1311.2540). Slot and channel of a value and the class of the value before it choose one of a
 * few frequency tables. Integers only, so that equal latents are equal bytes on every machine.
 */
export class LatentCoder {
  /** Whose latents the tables are of: 16 hex digits. */
  readonly modelId: string;
  /** Codes of one latent: slots x channels. */
  readonly count: number;
  readonly #channels: number;
  readonly #contexts: Uint8Array;
  readonly #frequencies: Uint16Array;
  /** [tables][16]: sums of the frequencies before each symbol, and 4096. */
  readonly #sums: Uint16Array;

  /** @throws RangeError for tables that no decoder could use, naming the tensor */
  constructor(modelId: string, tables: LatentTables) {
    checkTables(tables);
    this.modelId = modelId;
    this.count = tables.slots * tables.channels;
    this.#channels = tables.channels;
    this.#contexts = tables.contexts;
    this.#frequencies = tables.frequencies;
    this.#sums = sumsOf(tables.frequencies);
  }

  /**
   * The one payload of a latent: about 3 bits a value for what the tables were made of, 12 at most.
   * @param latent int8 [slots][channels], -127..127; loses what the 4-bit encoding loses
   * @throws FrameError "bad-field" for another count of codes
   */
  encode(latent: Int8Array): Uint8Array {
    if (latent.length !== this.count) {
      throw new FrameError(
        "bad-field",
        `latent: expected ${this.count} codes for entropy coding, got ${latent.length}`,
      );
    }
    const symbols = Uint8Array.from(latent, (code) => nibbleOf(code) + NIBBLE_MAX);
    // Last symbol first, written from the back: the decoder then reads forwards.
    const bytes = new Uint8Array(STATE_BYTES + Math.ceil((this.count * TOTAL_BITS) / 8));
    let at = bytes.length;
    let state = STATE_MIN;
    for (let i = this.count - 1; i >= 0; i--) {
      const table = this.#tableAt(i, symbols);
      const frequency = this.#frequencies[table * SYMBOLS + symbols[i]!]!;
      const limit = (STATE_END / TOTAL) * frequency;
      for (; state >= limit; state >>>= 8) bytes[--at] = state & 255;
      const start = this.#sums[table * (SYMBOLS + 1) + symbols[i]!]!;
      state = Math.floor(state / frequency) * TOTAL + (state % frequency) + start;
    }
    at -= STATE_BYTES;
    new DataView(bytes.buffer).setUint32(at, state, true);
    return bytes.slice(at);
  }

  /**
   * The codes of a payload, int8 [slots][channels], multiples of 18. What it allocates depends on the
   * model alone, never on the payload. Accepts exactly what `encode` can write.
   * @throws FrameError "entropy-truncated", "entropy-extra-bytes" or "entropy-bad-state"
   */
  decode(payload: Uint8Array): Int8Array {
    if (payload.length < STATE_BYTES) throw truncated(payload.length);
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    let state = view.getUint32(0, true);
    if (state < STATE_MIN || state >= STATE_END) throw badState("first", state);
    let at = STATE_BYTES;
    const symbols = new Uint8Array(this.count);
    for (let i = 0; i < this.count; i++) {
      const table = this.#tableAt(i, symbols);
      const slot = state % TOTAL;
      const symbol = this.#symbolAt(table, slot);
      symbols[i] = symbol;
      const start = this.#sums[table * (SYMBOLS + 1) + symbol]!;
      const frequency = this.#frequencies[table * SYMBOLS + symbol]!;
      state = frequency * Math.floor(state / TOTAL) + slot - start;
      while (state < STATE_MIN) {
        if (at === payload.length) throw truncated(payload.length);
        state = state * 256 + payload[at++]!;
      }
    }
    if (at < payload.length) {
      throw new FrameError(
        "entropy-extra-bytes",
        `payload: expected ${at} bytes for ${this.count} codes, got ${payload.length}`,
      );
    }
    if (state !== STATE_MIN) throw badState("last", state);
    return Int8Array.from(symbols, (symbol) => (symbol - NIBBLE_MAX) * NIBBLE_STEP);
  }

  /** Slot 0 has no slot before it: its class is that of zero. */
  #tableAt(i: number, symbols: Uint8Array): number {
    const before = i < this.#channels ? 0 : symbols[i - this.#channels]! - NIBBLE_MAX;
    return this.#contexts[i * CLASSES + classOf(before)]!;
  }

  /** The symbol whose share of 0..4095 holds `slot`. */
  #symbolAt(table: number, slot: number): number {
    let at = table * (SYMBOLS + 1) + 1;
    while (this.#sums[at]! <= slot) at++;
    return at - 1 - table * (SYMBOLS + 1);
  }
}

function classOf(nibble: number): number {
  if (nibble === 0) return 2;
  if (nibble < 0) return nibble <= -4 ? 0 : 1;
  return nibble <= 3 ? 3 : 4;
}

function sumsOf(frequencies: Uint16Array): Uint16Array {
  const tables = frequencies.length / SYMBOLS;
  const sums = new Uint16Array(tables * (SYMBOLS + 1));
  for (let table = 0; table < tables; table++) {
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      const at = table * (SYMBOLS + 1) + symbol;
      sums[at + 1] = sums[at]! + frequencies[table * SYMBOLS + symbol]!;
    }
  }
  return sums;
}

function checkTables({ slots, channels, frequencies, contexts }: LatentTables): void {
  const tables = frequencies.length / SYMBOLS;
  if (!Number.isInteger(tables) || tables < 1 || tables > 256) {
    throw new RangeError(
      `latent.frequencies: expected 1 to 256 rows of ${SYMBOLS}, got ${frequencies.length} values`,
    );
  }
  for (let table = 0; table < tables; table++) {
    const row = frequencies.subarray(table * SYMBOLS, (table + 1) * SYMBOLS);
    const sum = row.reduce((total, frequency) => total + frequency, 0);
    if (sum !== TOTAL || row.includes(0)) {
      const got = row.includes(0) ? "a zero" : `a sum of ${sum}`;
      throw new RangeError(
        `latent.frequencies: expected rows of positive values that sum to ${TOTAL}, got ${got} in row ${table}`,
      );
    }
  }
  const count = slots * channels * CLASSES;
  if (contexts.length !== count) {
    throw new RangeError(`latent.contexts: expected ${count} values, got ${contexts.length}`);
  }
  let bad = 0; // not findIndex: until it is compiled, which at load it never is, a callback for each value costs start-up time
  while (bad < count && contexts[bad]! < tables) bad++;
  if (bad < count) {
    throw new RangeError(
      `latent.contexts: expected tables 0..${tables - 1}, got ${contexts[bad]} at ${bad}`,
    );
  }
}

function truncated(bytes: number): FrameError {
  return new FrameError("entropy-truncated", `payload: expected more than ${bytes} bytes`);
}

function badState(which: "first" | "last", state: number): FrameError {
  const expected = which === "first" ? "2^23..2^31-1" : "2^23";
  return new FrameError(
    "entropy-bad-state",
    `payload: expected a ${which} coder state of ${expected}, got ${state}`,
  );
}
