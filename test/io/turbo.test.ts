import { expect, it } from "vitest";
import { enableTurbo } from "../../src/io/turbo.ts";

it("says why not where V8 cannot do it", () => {
  expect(enableTurbo("20.20.2", "x64")).toBe(
    "turbo: expected Node 24 or later, got 20.20.2; running without it",
  );
  expect(enableTurbo("24.1.0", "arm64")).toBe(
    "turbo: expected an x64 processor, got arm64; running without it",
  );
});
