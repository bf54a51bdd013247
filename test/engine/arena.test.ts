import { describe, expect, it } from "vitest";
import { Arena, SharedSpace } from "../../src/engine/arena.ts";

const PAGE = 65536;

function arena(pages: number, maximum: number, base = 100) {
  const memory = new WebAssembly.Memory({ initial: pages, maximum });
  return { memory, arena: new Arena(memory, base) };
}

describe("Arena", () => {
  it("hands out 16-byte aligned places with 64 bytes between them", () => {
    const { arena: space } = arena(1, 1);
    const first = space.alloc(5);
    const second = space.alloc(1);
    expect(first).toBe(112);
    expect(second).toBe(192);
    expect(second - (first + 5)).toBeGreaterThanOrEqual(64);
  });

  it("grows the memory by what is missing, slack included", () => {
    const { memory, arena: space } = arena(1, 8, 0);
    space.alloc(PAGE - 64);
    expect(memory.buffer.byteLength).toBe(PAGE);
    space.alloc(1);
    expect(memory.buffer.byteLength).toBe(2 * PAGE);
    space.alloc(4 * PAGE);
    expect(memory.buffer.byteLength).toBe(6 * PAGE);
  });

  it("keeps placed values across growth", () => {
    const { arena: space } = arena(1, 4);
    const values = Float32Array.of(1.5, -2.5, 3);
    const address = space.place(values.subarray(1));
    space.alloc(2 * PAGE);
    expect(space.view(Float32Array, address, 2)).toEqual(Float32Array.of(-2.5, 3));
  });

  it("gives back zeroed memory", () => {
    const { memory, arena: space } = arena(1, 1);
    const mark = space.mark();
    space.place(new Uint8Array(300).fill(255));
    space.release(mark);
    expect(new Uint8Array(memory.buffer).every((byte) => byte === 0)).toBe(true);
    expect(space.alloc(4)).toBe(mark);
  });

  it("says so when the memory's maximum is reached", () => {
    const { arena: space } = arena(1, 2);
    expect(() => space.alloc(3 * PAGE)).toThrow(
      new RangeError(
        `module memory: expected to grow by ${3 * PAGE} bytes, got its limit at ${PAGE}`,
      ),
    );
  });
});

describe("SharedSpace", () => {
  it("hands out its own bytes first, then the arena's", () => {
    const { arena: space } = arena(1, 1, 0);
    const address = space.alloc(400);
    const shared = new SharedSpace(space, address, 400);
    expect([shared.alloc(100), shared.alloc(150)]).toEqual([address, address + 176]);
    expect(shared.alloc(16)).toBe(address + 464);
    expect(shared.alloc(8)).toBe(address + 464 + 80);
  });
});
