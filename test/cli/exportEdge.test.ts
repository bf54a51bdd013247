/** `epic export-edge` as a user runs it. What hosts make of its files: test/model/edgeExport.test.ts, test/hosts/. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EdgeEncoder } from "../../src/index.ts";
import { scratch } from "../edge/smallSurvey.ts";
import { SMALL, tinyModel } from "../library/tinyModel.ts";
import { requireBuild, run } from "./processes.ts";

const model = tinyModel(SMALL, 41);
let folder: Awaited<ReturnType<typeof scratch>>;

function path(...names: string[]): string {
  return join(folder.path, ...names);
}

beforeAll(async () => {
  requireBuild();
  folder = await scratch();
  await mkdir(path("model"));
  await writeFile(path("model", "edge.safetensors"), model.edge);
});
afterAll(() => folder.dispose());

describe("epic export-edge", () => {
  it.each(["scalar", "simd"])("writes the %s module, the image and the plan", async (module) => {
    const out = path(module);
    const options = ["--model", path("model"), "--module", module, "--json"];
    const { code, stdout, stderr } = await run(["export-edge", out, ...options]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect((await readdir(out)).sort()).toEqual(["edge.bin", "edge.plan.json", "edge.wasm"]);
    const shipped = new URL(`../../dist/wasm/edge.${module}.wasm`, import.meta.url);
    expect(await readFile(join(out, "edge.wasm"))).toEqual(await readFile(shipped));
    const plan = JSON.parse(await readFile(join(out, "edge.plan.json"), "utf8"));
    const { modelId } = await EdgeEncoder.load({ weights: model.edge });
    expect(plan).toMatchObject({ format: "epic-edge-plan", version: 1, module });
    expect(plan.model).toEqual({ name: "tiny", id: modelId });
    const image = await readFile(join(out, "edge.bin"));
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ out, module, modelId, calls: plan.calls.length },
      ...{ imageBytes: image.length, memoryBytes: plan.memory.bytes },
    });
  });

  it("says what is wrong in one line and leaves nothing behind", async () => {
    const absent = await run(["export-edge", path("none"), "--model", path("nowhere")]);
    expect(absent.code).toBe(1);
    expect(absent.stderr).toMatch(/^epic: model: expected weights at .*, got no such file\n$/);
    const misuse = await run(["export-edge", path("none"), "--module", "avx"]);
    expect(misuse.code).toBe(2);
    expect(misuse.stderr.split("\n")).toHaveLength(2);
    expect(await readdir(folder.path)).not.toContain("none");
  });
});
