/** The built pool, with real workers, against the same records in this thread. */
import { expect, test } from "vitest";
import { RecordPool } from "../../dist/batch/index.js";
import { CentralDecoder, EdgeEncoder } from "../../dist/index.js";
import { requireBuild } from "../cli/processes.ts";

requireBuild();
const encoder = await EdgeEncoder.load();
const decoder = await CentralDecoder.load();
const { shots, samples, receivers, devices } = encoder.config.geometry;
const records = Array.from({ length: 5 }, (_, seed) =>
  Float32Array.from({ length: shots * samples * receivers }, (_, i) => Math.sin(i * (seed + 1))),
);

test.each([1, 2])(
  "%i workers give the maps of one thread, each under its record's index",
  async (threads) => {
    const pool = RecordPool.open({ threads });
    const maps = new Map<number, Float32Array>();
    try {
      await pool.infer(records, (map, index) => {
        maps.set(index, map);
      });
    } finally {
      await pool.close();
    }
    expect([...maps.keys()].sort()).toEqual([0, 1, 2, 3, 4]);
    for (const [i, record] of records.entries()) {
      expect(maps.get(i)).toEqual(inThisThread(record));
    }
  },
);

test("takes records as they come, and hands on what a worker refuses", async () => {
  const pool = RecordPool.open({ threads: 1 });
  let asked = 0;
  async function* survey() {
    for (const record of [records[0]!, new Float32Array(7), records[1]!]) {
      asked++;
      yield record;
    }
  }
  try {
    await expect(pool.infer(survey(), () => {})).rejects.toThrow(/^record: expected .*350000.*7/);
    expect(asked).toBe(2);
  } finally {
    await pool.close();
  }
});

test("says what is wrong with the number of threads, and with weights that are none", async () => {
  expect(() => RecordPool.open({ threads: 0 })).toThrow(
    "threads: expected an integer in 1..256, got 0",
  );
  const none = new Uint8Array(4);
  const pool = RecordPool.open({ threads: 1, weights: { edge: none, central: none } });
  await expect(pool.infer(records, () => {})).rejects.toThrow(
    "safetensors: expected at least 8 bytes",
  );
  await pool.close();
});

function inThisThread(record: Float32Array): Float32Array {
  const { slots, channels } = encoder.config.latent;
  const latents = new Int8Array(devices.length * slots * channels);
  devices.forEach(({ firstReceiver, receivers: own }, device) => {
    const traces = new Float32Array(shots * samples * own);
    for (let row = 0; row < shots * samples; row++) {
      const at = row * receivers + firstReceiver;
      traces.set(record.subarray(at, at + own), row * own);
    }
    latents.set(encoder.encode(traces, { device }), device * slots * channels);
  });
  return decoder.decode(latents).slice();
}
