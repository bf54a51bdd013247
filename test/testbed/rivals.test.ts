/** The rival arms' own parts: the classical codec and the split encoder. */
import { beforeAll, describe, expect, it } from "vitest";
import { modelShots } from "../../src/cli/demoInput.ts";
import { EdgeEncoder } from "../../src/edge/encoder.ts";
import { selectReceivers } from "../../src/edge/receivers.ts";
import { velocityMap } from "../../src/physics/families/index.ts";
import { ARMS, ArmBench, idOf } from "../../src/testbed/arms.ts";
import { RawCodec } from "../../src/testbed/rawCodec.ts";
import { SplitEncoder } from "../../src/testbed/splitEncoder.ts";
import { SURVEY } from "../cli/surveyModel.ts";
import { SMALL, tinyModel, tinyTraces } from "../library/tinyModel.ts";

const model = tinyModel(SURVEY, 1);
const { geometry } = model.config;
let traces: Float32Array[];

beforeAll(async () => {
  const record = await modelShots(velocityMap("curvefault-b", 5, 0), geometry, "fast");
  traces = geometry.devices.map((block) => {
    const own = new Float32Array(geometry.shots * geometry.samples * block.receivers);
    return selectReceivers(record, geometry.receivers, block, own);
  });
});

describe("RawCodec", () => {
  it("loses next to nothing that the network sees, at more than 35 times fewer bytes", async () => {
    const codec = new RawCodec(model.config);
    const encoder = await EdgeEncoder.load({ weights: model.edge });
    let packedBytes = 0;
    for (const [device, own] of traces.entries()) {
      const packed = codec.pack(own, 14);
      packedBytes += packed.length;
      const expected = encoder.encode(own, { device }).slice();
      const got = encoder.encode(codec.unpack(packed, 14), { device });
      const off = expected.map((code, i) => Math.abs(code - got[i]!));
      expect(Math.max(...off)).toBeLessThanOrEqual(6);
      expect(off.reduce((sum, one) => sum + one, 0) / off.length).toBeLessThan(0.5);
    }
    expect(1_400_000 / packedBytes).toBeGreaterThan(35);
  });

  it("gives the filter's output back to 16 bits, whatever the traces", () => {
    const { config } = model;
    const codec = new RawCodec(config);
    for (const own of [
      tinyTraces(config, 1),
      new Float32Array(70_000),
      new Float32Array(70_000).fill(-3),
    ]) {
      const once = codec.unpack(codec.pack(own, 14), 14);
      // What was unpacked survives a second trip to one step in 16 bits.
      const twice = codec.unpack(codec.pack(once, 14), 14);
      const peak = once.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const worst = once.reduce((most, value, i) => Math.max(most, Math.abs(value - twice[i]!)), 0);
      expect(worst).toBeLessThanOrEqual((peak / 32767) * 1.01);
    }
  });

  it("refuses a filter that it could not undo, and a payload of another size", () => {
    const input = { ...model.config.input, decimation: 4 };
    expect(() => new RawCodec({ ...model.config, input })).toThrow("at most 7 filter taps, got 13");
    const codec = new RawCodec(model.config);
    const packed = codec.pack(traces[0]!, 14);
    expect(() => codec.unpack(packed, 15)).toThrow(RangeError);
    expect(() => codec.unpack(packed, 13)).toThrow(RangeError);
  });
});

describe("SplitEncoder", () => {
  it.each(["scalar", "simd"] as const)(
    "gives the encoder's bits in two pieces: %s",
    async (module) => {
      for (const shape of [SURVEY, SMALL]) {
        const own = tinyModel(shape, 3);
        const encoder = await EdgeEncoder.load({ weights: own.edge, module });
        const device = await SplitEncoder.load(own.edge, 0, module);
        const centre = await SplitEncoder.load(own.edge, 0, module);
        for (const seed of [1, 2]) {
          const input = tinyTraces(own.config, seed);
          const payload = device.head(input);
          expect(payload.length).toBe(device.payloadBytes);
          expect(centre.tail(payload)).toEqual(encoder.encode(input, { device: 0 }));
        }
      }
    },
  );

  it("refuses to cut where no bytes travel", async () => {
    await expect(SplitEncoder.load(model.edge, 1)).rejects.toThrow("u7 activations, got 1");
  });
});

describe("arms", () => {
  it("carry their id, and end in maps that agree where nothing is lost between them", async () => {
    const bench = await ArmBench.load({ edge: model.edge, central: model.central }, "scalar");
    const maps = Object.fromEntries(
      ARMS.map((name) => {
        const arm = bench.arm(name);
        const messages = traces.map((own, device) => arm.prepare(own, device, 77 + device));
        messages.forEach((message, device) => {
          expect(idOf(name, message)).toBe(77 + device);
        });
        return [name, arm.decode(messages)];
      }),
    );
    expect(maps.raw).toEqual(maps.epic);
    expect(maps.split).toEqual(maps.epic);
    expect(maps["epic-packed"]).toEqual(maps["epic-4bit"]);
    expect(maps.isolated).not.toEqual(maps.epic);
  });
});
