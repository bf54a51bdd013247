/** The textual header of a SEG-Y file: 40 lines of 80 characters, in EBCDIC or ASCII. */

export const textHeaderBytes = 3200;
const lineLength = 80;

/** EBCDIC (code page 037) of the characters U+0020 to U+007E, in order. */
const ebcdicOfPrintable =
  "405a7f7b5b6c507d4d5d5c4e6b604b61f0f1f2f3f4f5f6f7f8f97a5e4c7e6e6f" +
  "7cc1c2c3c4c5c6c7c8c9d1d2d3d4d5d6d7d8d9e2e3e4e5e6e7e8e9bae0bbb06d" +
  "79818283848586878889919293949596979899a2a3a4a5a6a7a8a9c04fd0a1";

const toEbcdic = Uint8Array.from({ length: 95 }, (_, i) =>
  Number.parseInt(ebcdicOfPrintable.slice(2 * i, 2 * i + 2), 16),
);
const fromEbcdic = new Map(Array.from(toEbcdic, (code, i) => [code, i + 0x20]));

export type TextEncoding = "EBCDIC" | "ASCII";

export interface TextHeader {
  readonly encoding: TextEncoding;
  /** 40 lines without the blanks at their ends; what is not printable is "?". */
  readonly lines: readonly string[];
}

/** Told apart by the commonest character, the blank. `bytes`: the file's first 3200. */
export function decodeTextHeader(bytes: Uint8Array): TextHeader {
  const count = (code: number) => bytes.reduce((sum, byte) => sum + (byte === code ? 1 : 0), 0);
  const encoding = count(0x40) > count(0x20) ? "EBCDIC" : "ASCII";
  const text = Array.from(bytes, (byte) => {
    const code = encoding === "EBCDIC" ? fromEbcdic.get(byte) : byte;
    if (code === undefined || code < 0x20 || code > 0x7e) return byte === 0 ? " " : "?";
    return String.fromCharCode(code);
  }).join("");
  const lines = Array.from({ length: textHeaderBytes / lineLength }, (_, i) =>
    text.slice(i * lineLength, (i + 1) * lineLength).trimEnd(),
  );
  return { encoding, lines };
}

/**
 * A header in EBCDIC, as the format wants it: each line gets its "C 1" to "C40" in front.
 * Throws RangeError for more than 38 lines (39 and 40 state the revision and the end), for lines of
 * more than 76 characters and for other characters than printable ASCII.
 */
export function encodeTextHeader(lines: readonly string[]): Uint8Array {
  if (lines.length > 38) {
    throw new RangeError(`text header: expected at most 38 lines, got ${lines.length}`);
  }
  const all = Array.from({ length: 40 }, (_, i) => lines[i] ?? "");
  all[38] = "SEG Y REV1";
  all[39] = "END TEXTUAL HEADER";
  const bytes = new Uint8Array(textHeaderBytes);
  for (const [i, line] of all.entries()) {
    if (line.length > lineLength - 4 || /[^\x20-\x7e]/.test(line)) {
      throw new RangeError(`text header: expected 76 printable characters at most, got "${line}"`);
    }
    const text = `C${String(i + 1).padStart(2)} ${line}`.padEnd(lineLength);
    for (let k = 0; k < lineLength; k++) {
      bytes[i * lineLength + k] = toEbcdic[text.charCodeAt(k) - 0x20]!;
    }
  }
  return bytes;
}
