/** Bytes that are read by place: an open file, a part of it, or memory. */
import { type FileHandle, open } from "node:fs/promises";

export interface ByteSource {
  /** Bytes when it was opened. */
  readonly size: number;
  /** Up to `length` bytes from `offset`, fewer only at the end. The caller owns them. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Fills `out` from `offset`. Throws RangeError when the source ends before. */
  fill(offset: number, out: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** One read call asks for at most this much: Node refuses reads of 2 GiB and more. */
const chunkBytes = 1 << 26;

/** Opens a file. Throws the system's error, or an Error for a folder. */
export async function openByteSource(path: string): Promise<ByteSource> {
  const file = await open(path, "r");
  try {
    const status = await file.stat();
    if (status.isDirectory()) throw new Error(`${path}: expected a file, got a folder`);
    return new FileSource(file, status.size);
  } catch (error) {
    await file.close();
    throw error;
  }
}

class FileSource implements ByteSource {
  readonly size: number;
  readonly #file: FileHandle;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.size = size;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const out = new Uint8Array(Math.max(0, Math.min(length, this.size - offset)));
    return out.subarray(0, await this.#fill(offset, out));
  }

  async fill(offset: number, out: Uint8Array): Promise<void> {
    const done = await this.#fill(offset, out);
    if (done < out.length) throw shortage(out.length, done);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #fill(offset: number, out: Uint8Array): Promise<number> {
    let done = 0;
    while (done < out.length) {
      const length = Math.min(chunkBytes, out.length - done);
      const { bytesRead } = await this.#file.read(out, done, length, offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }
}

/** Bytes held in memory, which must not change meanwhile. */
export class MemorySource implements ByteSource {
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.size = bytes.length;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    // Not slice(): on a Node Buffer that is a view.
    return Uint8Array.from(this.#bytes.subarray(offset, offset + length));
  }

  async fill(offset: number, out: Uint8Array): Promise<void> {
    const part = this.#bytes.subarray(offset, offset + out.length);
    if (part.length < out.length) throw shortage(out.length, part.length);
    out.set(part);
  }

  async close(): Promise<void> {}
}

/** `size` bytes of `whole` from `start`, as a source of their own; closing it closes `whole`. */
export function partOf(whole: ByteSource, start: number, size: number): ByteSource {
  const end = Math.min(size, whole.size - start);
  return {
    size: end,
    read: (offset, length) =>
      whole.read(start + offset, Math.max(0, Math.min(length, end - offset))),
    async fill(offset, out) {
      if (offset + out.length > end) throw shortage(out.length, Math.max(0, end - offset));
      await whole.fill(start + offset, out);
    },
    close: () => whole.close(),
  };
}

function shortage(expected: number, got: number): RangeError {
  return new RangeError(`bytes: expected ${expected}, got ${got}: the file is cut short or shrank`);
}
