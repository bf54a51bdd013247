import { checkGeometry, checkShapes } from "./checkShapes.ts";
import type {
  AttentionScales,
  CentralConfig,
  Conv1dLayer,
  DeviceBlock,
  Geometry,
  ImageLayer,
  ModelConfig,
} from "./config.ts";
import { Fields } from "./fields.ts";
import { WeightsError } from "./weightsError.ts";

/** Largest size of anything in a config: far above any survey, far below any overflow. */
const SIZE_MAX = 65536;
const LAYERS_MAX = 64;

/**
 * Reads and checks the config of a weights file.
 * @param json the text under `config` in the file's metadata
 * @throws WeightsError naming the field, what was expected and what stood there
 */
export function parseConfig(json: string): ModelConfig {
  const config = readConfig(new Fields(parseJson(json, "config"), "config"));
  checkShapes(config);
  return config;
}

/**
 * Reads the geometry of a config by itself: what a survey's records are modelled from before there
 * is a model for it.
 * @param json a config, or its `geometry` alone
 * @throws WeightsError naming the field, what was expected and what stood there
 */
export function parseGeometry(json: string): Geometry {
  const value = parseJson(json, "geometry");
  const whole = typeof value === "object" && value !== null && "geometry" in value;
  const geometry = readGeometry(
    whole ? new Fields(value, "config").fields("geometry") : new Fields(value, "geometry"),
  );
  checkGeometry(geometry);
  return geometry;
}

function parseJson(json: string, what: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new WeightsError(`${what}: expected JSON`);
  }
}

function readConfig(fields: Fields): ModelConfig {
  const latent = fields.fields("latent");
  const input = fields.fields("input");
  return {
    name: fields.text("name"),
    format: fields.integer("format", 1, 1) as 1,
    geometry: readGeometry(fields.fields("geometry")),
    latent: {
      slots: latent.integer("slots", 1, SIZE_MAX),
      channels: latent.integer("channels", 1, SIZE_MAX),
    },
    input: {
      decimation: input.integer("decimation", 1, 64),
      taps: input.numbers("taps", 1, 64),
      gain: input.positive("gain"),
      compand: input.positive("compand"),
      step: input.positive("step"),
    },
    edge: { layers: fields.fields("edge").each("layers", 1, LAYERS_MAX, readConv1d) },
    central: readCentral(fields.fields("central")),
    training: fields.free("training"),
    metrics: fields.free("metrics"),
  };
}

function readGeometry(fields: Fields): Geometry {
  const velocityMps = fields.pair("velocityMps", 1, 20000);
  if (velocityMps[0] >= velocityMps[1]) fields.fail("velocityMps", "lowest before highest");
  return {
    shots: fields.integer("shots", 1, SIZE_MAX),
    samples: fields.integer("samples", 1, SIZE_MAX),
    receivers: fields.integer("receivers", 1, SIZE_MAX),
    dtMs: fields.positive("dtMs"),
    dxM: fields.positive("dxM"),
    map: fields.pair("map", 1, 4096),
    velocityMps,
    devices: fields.each("devices", 1, 4096, readDevice),
    ...(fields.has("peakHz") && { peakHz: fields.positive("peakHz") }),
    ...(fields.has("sourceColumns") && {
      sourceColumns: fields.integers("sourceColumns", 0, SIZE_MAX),
    }),
    ...(fields.has("receiverColumns") && {
      receiverColumns: fields.integers("receiverColumns", 0, SIZE_MAX),
    }),
  };
}

function readDevice(fields: Fields): DeviceBlock {
  return {
    firstReceiver: fields.integer("firstReceiver", 0, SIZE_MAX),
    receivers: fields.integer("receivers", 1, SIZE_MAX),
  };
}

function readConv1d(fields: Fields): Conv1dLayer {
  return {
    name: fields.text("name"),
    kind: fields.oneOf("kind", ["conv1d"]),
    in: fields.integer("in", 1, SIZE_MAX),
    out: fields.integer("out", 1, SIZE_MAX),
    kernel: fields.integer("kernel", 1, 255),
    stride: fields.integer("stride", 1, 255),
    padding: fields.integer("padding", 0, 254),
    input: fields.oneOf("input", ["s16", "u7"]),
    output: fields.oneOf("output", ["s16", "u7", "s8"]),
  };
}

function readImageLayer(fields: Fields): ImageLayer {
  return {
    name: fields.text("name"),
    kind: fields.oneOf("kind", ["conv2d", "convT2d"]),
    in: fields.integer("in", 1, SIZE_MAX),
    out: fields.integer("out", 1, SIZE_MAX),
    input: fields.oneOf("input", ["s16", "u7"]),
    output: fields.oneOf("output", ["s16", "u7", "f32"]),
  };
}

function readCentral(fields: Fields): CentralConfig {
  const fusionBlocks = fields.integer("fusionBlocks", 0, LAYERS_MAX);
  const crossBlocks = fields.integer("crossBlocks", 1, LAYERS_MAX);
  const activations = fields.has("activations")
    ? fields.oneOf("activations", ["s16", "u7"] as const)
    : undefined;
  return {
    width: fields.integer("width", 1, SIZE_MAX),
    heads: fields.integer("heads", 1, 1024),
    mlp: fields.integer("mlp", 1, SIZE_MAX),
    eps: fields.positive("eps"),
    qscale: fields.positive("qscale"),
    fusionBlocks,
    crossBlocks,
    grid: fields.pair("grid", 1, 1024),
    ...(activations && { activations }),
    attention: readAttention(
      fields.fields("attention"),
      fusionBlocks,
      crossBlocks,
      activations !== "u7",
    ),
    decoder: fields.each("decoder", 1, LAYERS_MAX, readImageLayer),
  };
}

function readAttention(
  fields: Fields,
  fusionBlocks: number,
  crossBlocks: number,
  hasOutScale: boolean,
): Record<string, AttentionScales> {
  const names = [
    ...Array.from({ length: fusionBlocks }, (_, i) => `fusion${i}`),
    ...Array.from({ length: crossBlocks }, (_, i) => `cross${i}`),
  ];
  return Object.fromEntries(
    names.map((name) => {
      const scales = fields.fields(name);
      return [
        name,
        {
          scoreScale: scales.positive("scoreScale"),
          ...(hasOutScale && { outScale: scales.positive("outScale") }),
        },
      ];
    }),
  );
}
