import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GapStore } from "../../src/central/gaps.ts";
import { CentralMetrics } from "../../src/central/metrics.ts";
import { OpenFrames } from "../../src/central/openFrames.ts";
import { CentralService, type LatentCheck } from "../../src/central/service.ts";
import { ResultStore } from "../../src/central/store.ts";
import { latentTopic } from "../../src/protocol/index.ts";
import { MemoryNetwork } from "../edge/memoryNetwork.ts";
import { decoder, frameOf, latentOf, modelId, scratch } from "../edge/smallSurvey.ts";

let folder: Awaited<ReturnType<typeof scratch>>;
let network: MemoryNetwork;
const warnings: string[] = [];

beforeEach(async () => {
  folder = await scratch();
  network = new MemoryNetwork();
  warnings.length = 0;
});
afterEach(() => folder.dispose());

/** Sends devices' frames of record 1 to a service that lets nobody wait; gives record.json. */
async function commit(check: LatentCheck, devices: readonly number[]) {
  const store = await ResultStore.open(folder.path, "field");
  const service = new CentralService({
    decoder,
    link: network.link(),
    store,
    gaps: new GapStore(folder.path),
    openFrames: new OpenFrames(folder.path),
    metrics: new CentralMetrics({ modelId, name: "small", module: "scalar" }),
    log: {
      info: () => {},
      warn: (_fields, message) => void warnings.push(message),
      error: (_fields, message) => void warnings.push(message),
    },
    survey: "field",
    served: [0],
    shards: 1,
    deadlineMs: 1000,
    check,
    now: () => 1_000_000,
  });
  await service.start();
  const sender = network.link();
  for (const device of devices) {
    await sender.publish(latentTopic("field", 0, device), frameOf(1, device));
  }
  await service.settled();
  await service.drain();
  expect((await store.load(1n))?.document.devicesPresent).toEqual(devices);
  return JSON.parse(await readFile(join(folder.path, "1", "record.json"), "utf8"));
}

describe("CentralService with a check", () => {
  it("hands it the map, the latents and who is present", async () => {
    const calls: unknown[] = [];
    const document = await commit(
      {
        boundary: "openfwi",
        latentMisfit: (map, latents, { present }) => {
          calls.push({ first: map[0], device2: latents.slice(16, 24), present });
          return 0.25;
        },
      },
      [0, 2],
    );
    expect(document).toMatchObject({ latentMisfit: 0.25, check: { boundary: "openfwi" } });
    expect(calls).toEqual([
      {
        first: latentOf(1, 0).reduce((sum, code) => sum + code, 0),
        device2: latentOf(1, 2),
        present: [true, false, true],
      },
    ]);
  });

  it("commits null where the latents are silent", async () => {
    const check: LatentCheck = {
      boundary: "fast",
      latentMisfit: () => Number.POSITIVE_INFINITY,
    };
    expect(await commit(check, [0])).toMatchObject({ latentMisfit: null });
    expect(warnings).toEqual([]);
  });

  it("commits the record without a figure when the check fails", async () => {
    const check: LatentCheck = {
      boundary: "fast",
      latentMisfit: () => {
        throw new RangeError("map: expected velocities");
      },
    };
    const document = await commit(check, [0, 1, 2]);
    expect(document).not.toHaveProperty("latentMisfit");
    expect(document).not.toHaveProperty("check");
    expect(warnings).toEqual(["no misfit"]);
  });
});
