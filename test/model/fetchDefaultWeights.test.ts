import { afterEach, expect, it, vi } from "vitest";
import { loadDefaultWeights } from "../../src/model/fetchDefaultWeights.ts";

afterEach(() => vi.unstubAllGlobals());

it.each(["edge", "central"] as const)(
  "fetches the %s half from beside the package",
  async (half) => {
    const bytes = Uint8Array.of(1, 2, 3);
    const fetched: string[] = [];
    vi.stubGlobal("fetch", async (url: URL) => {
      fetched.push(url.pathname);
      return new Response(bytes);
    });
    expect(await loadDefaultWeights(half)).toEqual(bytes);
    expect(fetched[0]).toMatch(new RegExp(`/weights/epic-base/${half}\\.safetensors$`));
  },
);

it("says which file the server did not give", async () => {
  vi.stubGlobal("fetch", async () => new Response("", { status: 404 }));
  await expect(loadDefaultWeights("edge")).rejects.toThrow(
    /^weights: expected .*weights\/epic-base\/edge\.safetensors, got HTTP status 404$/,
  );
});
