/** What the page's worker computes, against the library's parts put together by hand. */
import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { CentralDecoder } from "../../src/central/decoder.ts";
import { EdgeEncoder } from "../../src/edge/encoder.ts";
import { selectReceivers } from "../../src/edge/receivers.ts";
import { loadModel } from "../../src/io/modelFiles.ts";
import { scoreMap } from "../../src/metrics/index.ts";
import { ForwardModeller, velocityMap } from "../../src/physics/index.ts";
import {
  decodePayload,
  Encoding,
  encodePayload,
  FRAME_OVERHEAD_BYTES,
  type LatentEncoding,
} from "../../src/protocol/index.ts";
import { Inversion, type InversionInput } from "../../web/src/compute/inversion.ts";

const truth = velocityMap("curvefault-a", 4, 0);
const all = [true, true, true, true, true];
const plain: InversionInput = { truth, noise: 0, encoding: Encoding.int8, present: all };
let inversion: Inversion;

beforeAll(async () => {
  inversion = await Inversion.load(await loadModel());
});

/** The same record with the scalar modules. */
async function byHand(encoding: LatentEncoding, present: readonly boolean[]) {
  const modeller = await ForwardModeller.load({ boundary: "fast", module: "scalar" });
  const encoder = await EdgeEncoder.load({ module: "scalar" });
  const decoder = await CentralDecoder.load({ module: "scalar" });
  const record = modeller.model(truth);
  const { shots, samples, receivers, devices } = encoder.config.geometry;
  const { slots, channels } = encoder.config.latent;
  const latents = new Int8Array(devices.length * slots * channels);
  devices.forEach((block, device) => {
    const out = new Float32Array(shots * samples * block.receivers);
    const traces = selectReceivers(record, receivers, block, out);
    const sent = encodePayload(encoder.encode(traces, { device }), encoding);
    latents.set(decodePayload(sent, encoding), device * slots * channels);
  });
  return { record, latents, map: decoder.decode(latents, { present }) };
}

/** A digest: comparing long arrays value by value is slow. */
function bits(values: Float32Array | Int8Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return createHash("sha256").update(bytes).digest("hex");
}

describe("the page's inversion", () => {
  it.each([
    ["8 bit, all devices", Encoding.int8, all],
    ["4 bit, all devices", Encoding.nibble, all],
    ["8 bit, two devices", Encoding.int8, [false, true, false, true, false]],
  ] as const)("gives the library's bits: %s", async (_, encoding, present) => {
    const output = inversion.run({ ...plain, encoding, present });
    const expected = await byHand(encoding, present);
    expect(bits(output.record)).toBe(bits(expected.record));
    expect(bits(output.latents)).toBe(bits(expected.latents));
    expect(bits(output.map!)).toBe(bits(expected.map));
    expect(output.score).toEqual(scoreMap(expected.map, truth));
    const { slots, channels } = inversion.config.latent;
    const payload = (slots * channels) / (encoding === Encoding.nibble ? 2 : 1);
    expect(output.frameBytes).toEqual(all.map(() => payload + FRAME_OVERHEAD_BYTES));
  });

  it("has no map where no device is there", () => {
    const output = inversion.run({ ...plain, present: all.map(() => false) });
    expect([output.map, output.score]).toEqual([undefined, undefined]);
  });

  it("adds noise of the stated strength, the same every time, and takes it away again", () => {
    const clean = inversion.run(plain);
    const record = clean.record.slice();
    const map = bits(clean.map!);
    const noisy = inversion.run({ ...plain, noise: 0.1 });
    const added = noisy.record.map((value, i) => value - record[i]!);
    const rms = (values: Float32Array) =>
      Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    expect(rms(added) / rms(record)).toBeCloseTo(0.1, 3);
    const first = bits(noisy.map!);
    expect(first).not.toBe(map);
    expect(bits(inversion.run(plain).map!)).toBe(map);
    expect(bits(inversion.run({ ...plain, noise: 0.1 }).map!)).toBe(first);
  });

  it("follows a map that is changed in place", () => {
    const changing = truth.slice();
    const run = () => bits(inversion.run({ ...plain, truth: changing }).map!);
    const before = run();
    changing.fill(4000, 2800);
    expect(run()).not.toBe(before);
    changing.set(truth);
    expect(run()).toBe(before);
  });

  it("finds no misfit in the true map and some in another", () => {
    inversion.run(plain);
    expect(inversion.latentMisfit(truth, all)).toBe(0);
    expect(inversion.latentMisfit(velocityMap("flatvel-a", 1, 0), all)).toBeGreaterThan(0.1);
  });

  it("refuses halves of two models", async () => {
    const { edge } = await loadModel();
    await expect(Inversion.load({ edge, central: edge })).rejects.toThrow();
  });
});
