import { afterEach, expect, it, vi } from "vitest";
import { loadCentralWeights } from "../../src/model/fetchCentralWeights.ts";
import { loadEdgeWeights } from "../../src/model/fetchEdgeWeights.ts";

afterEach(() => vi.unstubAllGlobals());

it.each([
  ["edge", loadEdgeWeights],
  ["central", loadCentralWeights],
] as const)("fetches the %s half from beside the package", async (half, load) => {
  const bytes = Uint8Array.of(1, 2, 3);
  const fetched: string[] = [];
  vi.stubGlobal("fetch", async (url: URL) => {
    fetched.push(url.pathname);
    return new Response(bytes);
  });
  expect(await load()).toEqual(bytes);
  expect(fetched[0]).toMatch(new RegExp(`/weights/epic-base/${half}\\.safetensors$`));
});

it("says which file the server did not give", async () => {
  vi.stubGlobal("fetch", async () => new Response("", { status: 404 }));
  await expect(loadEdgeWeights()).rejects.toThrow(
    /^weights: expected .*weights\/epic-base\/edge\.safetensors, got HTTP status 404$/,
  );
});
