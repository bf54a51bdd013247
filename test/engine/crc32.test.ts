import { expect, it } from "vitest";
import { crc32 } from "../../src/engine/crc32.ts";

it("gives the check value of CRC-32, in one piece or two", () => {
  const text = new TextEncoder().encode("123456789");
  expect(crc32(text)).toBe(0xcbf43926);
  expect(crc32(text.subarray(4), crc32(text.subarray(0, 4)))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array())).toBe(0);
});
