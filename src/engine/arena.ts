import { ALIGNMENT, roundUp, SLACK_BYTES } from "./kernels.ts";

const PAGE_BYTES = 65536;

type Numbers = Int8Array | Uint8Array | Int16Array | Uint32Array | Int32Array | Float32Array;

type View<T> = new (buffer: ArrayBuffer, byteOffset: number, length: number) => T;

/**
 * Hands out a module's memory from its heap base upwards; nothing is freed but everything above a
 * mark. Memory grows only in `alloc`, which voids all views: allocate first, take views after.
 */
export class Arena {
  private readonly memory: WebAssembly.Memory;
  private top: number;

  /**
   * @param memory zero from `base` on, as it is in a fresh instance
   * @param base first byte that is not the module's own
   */
  constructor(memory: WebAssembly.Memory, base: number) {
    this.memory = memory;
    this.top = roundUp(base, ALIGNMENT);
  }

  /**
   * Address of `bytes` zeroed bytes, with 64 readable bytes after them.
   * @throws RangeError when the module's memory cannot grow that far
   */
  alloc(bytes: number): number {
    const address = this.top;
    const top = roundUp(address + bytes + SLACK_BYTES, ALIGNMENT);
    const missing = top - this.memory.buffer.byteLength;
    if (missing > 0) this.grow(Math.ceil(missing / PAGE_BYTES));
    this.top = top;
    return address;
  }

  /** Address of a copy of `values`. */
  place(values: Numbers): number {
    const address = this.alloc(values.byteLength);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    new Uint8Array(this.memory.buffer).set(bytes, address);
    return address;
  }

  /** A typed view of `length` elements at `address`; void once `alloc` grows the memory. */
  view<T>(type: View<T>, address: number, length: number): T {
    return new type(this.memory.buffer, address, length);
  }

  /** Where the next allocation starts: pass it to `release` to give back what came after. */
  mark(): number {
    return this.top;
  }

  /** Gives back, and zeroes, everything allocated since `mark`. */
  release(mark: number): void {
    new Uint8Array(this.memory.buffer, mark, this.top - mark).fill(0);
    this.top = mark;
  }

  private grow(pages: number): void {
    try {
      this.memory.grow(pages);
    } catch {
      const have = this.memory.buffer.byteLength;
      throw new RangeError(
        `module memory: expected to grow by ${pages * PAGE_BYTES} bytes, got its limit at ${have}`,
      );
    }
  }
}

/**
 * Places for values that are written and read while another user of the same bytes does not run. Not zeroed; when `bytes` bytes from
 * `address` are given out, it goes on in the arena.
 */
export class SharedSpace {
  private readonly arena: Arena;
  private readonly end: number;
  private top: number;

  constructor(arena: Arena, address: number, bytes: number) {
    this.arena = arena;
    this.top = address;
    this.end = address + bytes;
  }

  /** Address of `bytes` bytes, with 64 readable bytes after them. */
  alloc(bytes: number): number {
    const address = this.top;
    const top = roundUp(address + bytes + SLACK_BYTES, ALIGNMENT);
    if (top > this.end) return this.arena.alloc(bytes);
    this.top = top;
    return address;
  }
}
