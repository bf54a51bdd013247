import type { Conv1dLayer, Geometry, ImageLayer, ModelConfig } from "./config.ts";
import { edgeRows, imageSizes, receiversMax } from "./shapes.ts";
import { WeightsError } from "./weightsError.ts";

/** Channels of every tensor between two kernels: the kernels write rows of whole groups of 8. */
const CHANNEL_GROUP = 8;
/** 2047² · 512 < 2³¹: above that a score could leave int32. */
const HEAD_WIDTH_MAX = 512;
/** `input_stage` handles four receivers at a time; smaller devices are filled up to the largest. */
const DEVICE_RECEIVERS_MIN = 4;

/**
 * Checks that the parts of a config fit each other and the kernels (docs/abi.md).
 * @throws WeightsError naming the field, what was expected and what stood there
 */
export function checkShapes(config: ModelConfig): void {
  checkGeometry(config.geometry);
  checkInput(config);
  checkEdgeLayers(config);
  checkCentral(config);
  checkDecoderLayers(config);
}

/**
 * Checks the devices' blocks, and the columns of the line where they are stated.
 * @throws WeightsError naming the field, what was expected and what stood there
 */
export function checkGeometry(geometry: Geometry): void {
  const most = receiversMax(geometry);
  expect(most >= DEVICE_RECEIVERS_MIN, "geometry.devices", "one of at least 4 receivers", most);
  geometry.devices.forEach(({ firstReceiver, receivers }, i) => {
    const last = firstReceiver + receivers;
    const limit = `receivers below ${geometry.receivers}`;
    const name = `geometry.devices[${i}]`;
    expect(last <= geometry.receivers, name, limit, `${firstReceiver}..${last - 1}`);
  });
  checkColumns(geometry, "sourceColumns", geometry.shots);
  checkColumns(geometry, "receiverColumns", geometry.receivers);
}

function checkColumns(
  geometry: Geometry,
  field: "sourceColumns" | "receiverColumns",
  count: number,
): void {
  const list = geometry[field];
  if (list === undefined) return;
  const name = `geometry.${field}`;
  expect(list.length === count, name, `${count} columns`, list.length);
  const outside = list.find((column) => column >= geometry.map[1]);
  expect(outside === undefined, name, `columns below ${geometry.map[1]}`, outside ?? 0);
}

function checkInput({ geometry, input }: ModelConfig): void {
  const taps = input.taps.length;
  expect(taps % 2 === 1, "input.taps", "an odd number of taps", taps);
  expect(geometry.samples >= taps, "geometry.samples", `at least ${taps}`, geometry.samples);
}

function checkEdgeLayers(config: ModelConfig): void {
  const { geometry, latent } = config;
  const { layers } = config.edge;
  const last = layers.length - 1;
  let channels = geometry.shots * receiversMax(geometry);
  let element: string = "s16";
  layers.forEach((layer, i) => {
    const name = `edge.layers[${i}]`;
    checkLink(name, layer, channels, element);
    checkChannels(`${name}.out`, layer.out);
    const isS8 = layer.output === "s8";
    expect(isS8 === (i === last), `${name}.output`, "s8 in the last layer only", layer.output);
    channels = layer.out;
    element = layer.output;
  });
  expect(channels === latent.channels, "latent.channels", `${channels}`, latent.channels);
  const rows = edgeRows(config);
  rows.forEach((count, i) => {
    expect(count >= 1, `edge.layers[${i}]`, "at least one output row", count);
  });
  expect(rows[last] === latent.slots, "latent.slots", `${rows[last]}`, latent.slots);
  const group = "a multiple of 8, as attention reads keys";
  expect(latent.slots % 8 === 0, "latent.slots", group, latent.slots);
}

function checkCentral({ central }: ModelConfig): void {
  const { width, heads, mlp } = central;
  expect(width % heads === 0, "central.heads", `a divisor of the width ${width}`, heads);
  checkChannels("central.width / heads", width / heads);
  expect(width / heads <= HEAD_WIDTH_MAX, "central.width / heads", "at most 512", width / heads);
  checkChannels("central.mlp", mlp);
}

function checkDecoderLayers({ central, geometry }: ModelConfig): void {
  const layers = central.decoder;
  const last = layers.length - 1;
  let channels = central.width;
  let element: string = "s16";
  layers.forEach((layer, i) => {
    const name = `central.decoder[${i}]`;
    checkLink(name, layer, channels, element);
    if (i < last) checkChannels(`${name}.out`, layer.out);
    const isF32 = layer.output === "f32";
    expect(isF32 === (i === last), `${name}.output`, "f32 in the last layer only", layer.output);
    channels = layer.out;
    element = layer.output;
  });
  const final = layers[last]!;
  expect(final.kind === "conv2d", `central.decoder[${last}].kind`, "conv2d", final.kind);
  expect(final.out === 1, `central.decoder[${last}].out`, "1", final.out);
  const { height, width } = imageSizes(central.grid, layers)[last]!;
  const [rows, columns] = geometry.map;
  const fits = rows <= height && columns <= width;
  expect(fits, "geometry.map", `at most ${height}x${width}, the last image`, `${rows}x${columns}`);
}

function checkLink(
  name: string,
  layer: Conv1dLayer | ImageLayer,
  channels: number,
  element: string,
): void {
  expect(layer.in === channels, `${name}.in`, `${channels}`, layer.in);
  expect(layer.input === element, `${name}.input`, element, layer.input);
}

function checkChannels(name: string, channels: number): void {
  expect(channels % CHANNEL_GROUP === 0, name, "a multiple of 8", channels);
}

function expect(holds: boolean, name: string, expected: string, got: number | string): void {
  if (!holds) throw new WeightsError(`config.${name}: expected ${expected}, got ${got}`);
}
