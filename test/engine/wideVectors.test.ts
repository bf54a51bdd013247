import { expect, test, vi } from "vitest";

test("what one copy of the file is told, another knows", async () => {
  const first = await import("../../src/engine/wideVectors.ts");
  vi.resetModules();
  const second = await import("../../src/engine/wideVectors.ts");
  expect(second).not.toBe(first);
  expect(second.hasWideVectors()).toBe(false);
  first.expectWideVectors();
  expect(second.hasWideVectors()).toBe(true);
});
