import { describe, expect, it } from "vitest";
import { CentralDecoder, EdgeEncoder } from "../../src/index.ts";
import { SMALL, tinyModel, tinyTraces } from "./tinyModel.ts";

const model = tinyModel(SMALL, 21);
const { config } = model;
const traces = tinyTraces(config, 1);
const encoder = await EdgeEncoder.load({ weights: model.edge });
const decoder = await CentralDecoder.load({ weights: model.central });
const latents = new Int8Array(3 * 8 * 8).map((_, i) => ((i * 37) % 255) - 127);

describe("EdgeEncoder.encode", () => {
  it("refuses traces of another kind or size", () => {
    const list = [1, 2] as unknown as Float32Array;
    expect(() => encoder.encode(list, { device: 0 })).toThrow(
      new TypeError("traces: expected Float32Array, got Array"),
    );
    const none = undefined as unknown as Float32Array;
    expect(() => encoder.encode(none, { device: 0 })).toThrow(
      new TypeError("traces: expected Float32Array, got undefined"),
    );
    expect(() => encoder.encode(traces.subarray(1), { device: 0 })).toThrow(
      new RangeError("traces: expected 1024 values (2x128x4), got 1023"),
    );
  });

  it("refuses NaN and infinity and says where", () => {
    const index = (1 * 128 + 17) * 4 + 3;
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const broken = traces.slice();
      broken[index] = bad;
      expect(() => encoder.encode(broken, { device: 0 })).toThrow(
        new RangeError(
          `traces: expected finite samples, got ${bad} at shot 1 sample 17 receiver 3`,
        ),
      );
    }
  });

  it.each([-1, 3, 0.5, Number.NaN])("refuses device %s of three", (device) => {
    expect(() => encoder.encode(traces, { device })).toThrow(
      new RangeError(`device: expected an integer in 0..2, got ${device}`),
    );
  });

  it("returns one array again and again, or fills the caller's", () => {
    const first = encoder.encode(traces, { device: 0 });
    const kept = first.slice();
    const out = new Int8Array(first.length);
    expect(encoder.encode(tinyTraces(config, 2), { device: 0, out })).toBe(out);
    expect(first).toEqual(kept);
    expect(out).not.toEqual(kept);
    expect(encoder.encode(tinyTraces(config, 2), { device: 1 })).toBe(first);
    expect(first).toEqual(out);
  });

  it("refuses an output of another size", () => {
    expect(() => encoder.encode(traces, { device: 0, out: new Int8Array(63) })).toThrow(
      new RangeError("out: expected 64 values (8x8), got 63"),
    );
  });

  it("survives the largest amplitudes", () => {
    const loud = new Float32Array(traces.length).map((_, i) => (i % 2 ? 3e38 : -3e38));
    const latent = encoder.encode(loud, { device: 0 });
    expect(latent.every((code) => code >= -127 && code <= 127)).toBe(true);
  });
});

describe("CentralDecoder.decode", () => {
  it("gives velocities of the config's range", () => {
    const map = decoder.decode(latents);
    expect(map.length).toBe(110);
    expect(map.every((velocity) => velocity >= 1500 && velocity <= 4500)).toBe(true);
  });

  it("refuses latents of another kind or size", () => {
    expect(() => decoder.decode(new Uint8Array(192) as unknown as Int8Array)).toThrow(
      new TypeError("latents: expected Int8Array, got Uint8Array"),
    );
    expect(() => decoder.decode(latents.subarray(64))).toThrow(
      new RangeError("latents: expected 192 values (3x8x8), got 128"),
    );
  });

  it("refuses masks that do not say which devices are present", () => {
    const decode = (present: unknown) => () =>
      decoder.decode(latents, { present: present as boolean[] });
    expect(decode([true, true])).toThrow(new RangeError("present: expected 3 flags, got 2"));
    expect(decode([false, false, false])).toThrow(
      new RangeError("present: expected at least one device, got none"),
    );
    expect(decode([true, 1, true])).toThrow(
      new TypeError("present: expected booleans, got 1 for device 1"),
    );
  });

  it("returns one array again and again, or fills the caller's", () => {
    const first = decoder.decode(latents);
    const out = new Float32Array(first.length);
    expect(decoder.decode(latents, { out })).toBe(out);
    expect(out).toEqual(first);
    expect(decoder.decode(latents, { present: [true, false, false] })).toBe(first);
    expect(first).not.toEqual(out);
    expect(() => decoder.decode(latents, { out: new Float32Array(100) })).toThrow(
      new RangeError("out: expected 110 values (10x11), got 100"),
    );
  });
});

describe("both halves", () => {
  it("say what they are", () => {
    for (const half of [encoder, decoder]) {
      expect(half.config).toEqual(config);
      expect(half.modelId).toMatch(/^[0-9a-f]{16}$/);
      expect(half.moduleReason).toMatch(new RegExp(`^${half.module}: self-test passed`));
      expect(half.memoryBytes % 65536).toBe(0);
    }
    expect(encoder.modelId).toBe(decoder.modelId);
  });

  it("do not grow after load", () => {
    const before = [encoder.memoryBytes, decoder.memoryBytes];
    for (let call = 0; call < 20; call++) {
      encoder.encode(traces, { device: call % 3 });
      decoder.decode(latents, { present: [call % 2 === 0, true, call % 3 === 0] });
    }
    expect([encoder.memoryBytes, decoder.memoryBytes]).toEqual(before);
  });

  it("run their stages over what the last call left", () => {
    const map = decoder.decode(latents).slice();
    for (const stage of decoder.stages) stage.run();
    expect(decoder.stages.map(({ name }) => name)).toEqual(["central", "decoder"]);
    expect(decoder.decode(latents)).toEqual(map);
  });

  it("can be used no more once disposed", async () => {
    const shortLived = await EdgeEncoder.load({ weights: model.edge, module: "scalar" });
    shortLived.dispose();
    shortLived.dispose();
    const message = "EdgeEncoder: expected a loaded encoder, got one that was disposed";
    expect(() => shortLived.encode(traces, { device: 0 })).toThrow(message);
    expect(() => shortLived.warmup()).toThrow(message);
    expect(() => shortLived.stages).toThrow(message);
    expect(shortLived.memoryBytes).toBe(0);
    const other = await CentralDecoder.load({ weights: model.central, module: "scalar" });
    other.dispose();
    expect(() => other.decode(latents)).toThrow(
      "CentralDecoder: expected a loaded decoder, got one that was disposed",
    );
    expect(other.memoryBytes).toBe(0);
  });

  it("live side by side without sharing memory", async () => {
    const second = await EdgeEncoder.load({ weights: tinyModel(SMALL, 22).edge });
    const before = encoder.encode(traces, { device: 0 }).slice();
    expect(second.encode(traces, { device: 0 })).not.toEqual(before);
    expect(encoder.encode(traces, { device: 0 })).toEqual(before);
  });
});
