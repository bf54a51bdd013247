import { describe, expect, it } from "vitest";
import type { ModelConfig } from "../../src/model/config.ts";
import { parseConfig } from "../../src/model/parseConfig.ts";
import { WeightsError } from "../../src/model/weightsError.ts";
import { ODD, SMALL, tinyModel } from "../library/tinyModel.ts";

const good = tinyModel(SMALL, 1).config;

/** The message for the good config with the value at `path` replaced (undefined: removed). */
function refusal(path: string, value: unknown): string {
  const copy = structuredClone(good) as unknown as Record<string, unknown>;
  const keys = path.split(".");
  const last = keys.pop()!;
  const holder = keys.reduce((object, key) => object[key] as Record<string, unknown>, copy);
  holder[last] = value;
  try {
    parseConfig(JSON.stringify(copy));
  } catch (error) {
    expect(error).toBeInstanceOf(WeightsError);
    return (error as Error).message;
  }
  return "accepted";
}

describe("parseConfig", () => {
  it.each([SMALL, ODD])("reads back what was written", (shape) => {
    const config: ModelConfig = tinyModel(shape, 1).config;
    expect(parseConfig(JSON.stringify(config))).toEqual(config);
  });

  it("ignores what it does not know and does without what it does not read", () => {
    const { training, metrics, ...rest } = good;
    const config = parseConfig(JSON.stringify({ ...rest, comment: "x" }));
    expect(config).toEqual({ ...good, training: {}, metrics: {} });
    expect([training, metrics]).toBeDefined();
  });

  it("refuses what is not a JSON object", () => {
    expect(() => parseConfig("{")).toThrow("config: expected JSON");
    expect(() => parseConfig("[]")).toThrow("config: expected an object, got a list of 0");
    expect(() => parseConfig("null")).toThrow("config: expected an object, got null");
  });

  it.each([
    ["format", 2, "config.format: expected an integer in 1..1, got 2"],
    ["name", "", 'config.name: expected a text of 1..64 characters, got ""'],
    ["geometry", undefined, "config.geometry: expected an object, got nothing"],
    ["geometry.shots", 1.5, "config.geometry.shots: expected an integer in 1..65536, got 1.5"],
    ["geometry.dxM", 0, "config.geometry.dxM: expected a finite number above 0, got 0"],
    ["geometry.map", [70], "config.geometry.map: expected a list of 2, got a list of 1"],
    ["geometry.map.1", "a", 'config.geometry.map[1]: expected an integer in 1..4096, got "a"'],
    [
      "geometry.velocityMps",
      [4500, 1500],
      "config.geometry.velocityMps: expected lowest before highest, got a list of 2",
    ],
    [
      "geometry.devices",
      [],
      "config.geometry.devices: expected a list of 1..4096, got a list of 0",
    ],
    ["input.taps", [1, "b", 2], "config.input.taps: expected finite numbers, got a list of 3"],
    [
      "edge.layers.1.kernel",
      0,
      "config.edge.layers[1].kernel: expected an integer in 1..255, got 0",
    ],
    ["edge.layers.0.kind", "conv2d", 'config.edge.layers[0].kind: expected "conv1d", got "conv2d"'],
    [
      "central.decoder.1.output",
      "s8",
      'config.central.decoder[1].output: expected "s16" or "u7" or "f32", got "s8"',
    ],
    [
      "central.attention.fusion1",
      undefined,
      "config.central.attention.fusion1: expected an object, got nothing",
    ],
    [
      "central.attention.cross0.outScale",
      -1,
      "config.central.attention.cross0.outScale: expected a finite number above 0, got -1",
    ],
  ])("names the field: %s", (path, value, message) => {
    expect(refusal(path, value)).toBe(message);
  });
});

describe("shapes that do not fit each other", () => {
  it.each([
    ["geometry.devices.1.receivers", 5, "edge.layers[0].in: expected 10, got 8"],
    [
      "geometry.devices",
      [{ firstReceiver: 0, receivers: 3 }],
      "geometry.devices: expected one of at least 4 receivers, got 3",
    ],
    [
      "geometry.devices.2.firstReceiver",
      9,
      "geometry.devices[2]: expected receivers below 12, got 9..12",
    ],
    ["input.taps", [1, 2], "input.taps: expected an odd number of taps, got 2"],
    ["geometry.samples", 12, "geometry.samples: expected at least 13, got 12"],
    ["geometry.shots", 3, "edge.layers[0].in: expected 12, got 8"],
    ["edge.layers.1.input", "s16", "edge.layers[1].input: expected u7, got s16"],
    ["edge.layers.0.out", 12, "edge.layers[0].out: expected a multiple of 8, got 12"],
    [
      "edge.layers.0.output",
      "s8",
      "edge.layers[0].output: expected s8 in the last layer only, got s8",
    ],
    [
      "edge.layers.2.output",
      "u7",
      "edge.layers[2].output: expected s8 in the last layer only, got u7",
    ],
    ["edge.layers.1.kernel", 99, "edge.layers[1]: expected at least one output row"],
    ["edge.layers.1.stride", 1, "latent.slots: expected 16, got 8"],
    ["latent.channels", 16, "latent.channels: expected 8, got 16"],
    ["central.heads", 3, "central.heads: expected a divisor of the width 16, got 3"],
    ["central.heads", 4, "central.width / heads: expected a multiple of 8, got 4"],
    ["central.mlp", 20, "central.mlp: expected a multiple of 8, got 20"],
    ["central.decoder.1.in", 8, "central.decoder[1].in: expected 16, got 8"],
    ["central.decoder.1.out", 9, "central.decoder[1].out: expected a multiple of 8, got 9"],
    [
      "central.decoder.1.output",
      "f32",
      "central.decoder[1].output: expected f32 in the last layer only",
    ],
    ["central.decoder.3.kind", "convT2d", "central.decoder[3].kind: expected conv2d, got convT2d"],
    ["central.decoder.3.out", 2, "central.decoder[3].out: expected 1, got 2"],
    ["geometry.map", [13, 3], "geometry.map: expected at most 12x12, the last image, got 13x3"],
  ])("%s = %j", (path, value, message) => {
    expect(refusal(path, value)).toContain(`config.${message}`);
  });

  it("asks for as many slots as attention reads at a time", () => {
    const copy = structuredClone(good) as { geometry: { samples: number }; latent: object };
    copy.geometry.samples = 64;
    copy.latent = { slots: 4, channels: 8 };
    expect(() => parseConfig(JSON.stringify(copy))).toThrow(
      "config.latent.slots: expected a multiple of 8, as attention reads keys, got 4",
    );
  });
});
