/**
 * Runs a float graph of models.py on TensorFlow.js, which reads no ONNX: each node becomes the operation of the same meaning.
 * Convolutions keep their tensors channels last between them, as TensorFlow.js wants them.
 */
import { readFileSync } from "node:fs";

/** @returns a function of one Float32Array that gives the result as a Promise of a Float32Array */
export function openGraph(tf, stem, shape) {
  const graph = JSON.parse(readFileSync(`${stem}.json`, "utf8"));
  const bytes = readFileSync(`${stem}.bin`);
  const constants = readConstants(tf, graph, bytes);
  const filters = convFilters(tf, graph, constants);
  return async (input) => {
    const output = tf.tidy(() => {
      const values = new Map([[graph.input, { tensor: tf.tensor(input, shape), last: false }]]);
      for (const node of graph.nodes)
        values.set(node.out, apply(tf, node, values, constants, filters));
      return channelsFirst(tf, values.get(graph.output));
    });
    const data = await output.data();
    output.dispose();
    return data;
  };
}

function readConstants(tf, graph, bytes) {
  const constants = new Map();
  for (const [name, { shape, offset, count, values }] of Object.entries(graph.constants)) {
    if (values) {
      constants.set(name, values);
      continue;
    }
    const data = new Float32Array(
      new Uint8Array(bytes.subarray(offset, offset + 4 * count)).buffer,
    );
    constants.set(name, tf.keep(tf.tensor(data, shape)));
  }
  return constants;
}

/** Filters as [height, width, in, out], or [height, width, out, in] of transposed convolutions: both are this permutation. */
function convFilters(tf, graph, constants) {
  const filters = new Map();
  for (const { op, in: inputs } of graph.nodes) {
    if (op !== "Conv" && op !== "ConvTranspose") continue;
    const filter = tf.tidy(() => {
      const weight = constants.get(inputs[1]);
      const plane = weight.rank === 3 ? tf.expandDims(weight, 2) : weight;
      return tf.transpose(plane, [2, 3, 1, 0]);
    });
    filters.set(inputs[1], tf.keep(filter));
  }
  return filters;
}

function apply(tf, node, values, constants, filters) {
  const { op, in: names, attributes } = node;
  const value = (i) => values.get(names[i]) ?? { tensor: constants.get(names[i]), last: false };
  const plain = (i) => channelsFirst(tf, value(i));
  const first = (tensor) => ({ tensor, last: false });
  switch (op) {
    case "Conv":
    case "ConvTranspose":
      return convolve(tf, op, value(0), filters.get(names[1]), constants.get(names[2]), attributes);
    case "Clip": {
      const { tensor, last, rank } = value(0);
      const [low, high] = [1, 2].map((i) => constants.get(names[i]).dataSync()[0]);
      return { tensor: tf.clipByValue(tensor, low, high), last, rank };
    }
    case "Gemm":
      return first(tf.fused.matMul({ a: plain(0), b: plain(1), bias: plain(2) }));
    case "MatMul":
      return first(tf.matMul(plain(0), plain(1)));
    case "Add":
      return first(tf.add(plain(0), plain(1)));
    case "Softmax":
      return first(tf.softmax(plain(0)));
    case "Reshape":
      return first(tf.reshape(plain(0), constants.get(names[1])));
    case "Transpose":
      return first(tf.transpose(plain(0), attributes.perm));
    case "LayerNormalization":
      return first(normalise(tf, plain(0), attributes.epsilon));
    case "Slice":
      return first(slice(tf, plain(0), ...[1, 2, 3].map((i) => constants.get(names[i]))));
    default:
      throw new Error(`tfjs: no operation for ${op}`);
  }
}

function convolve(tf, op, value, filter, bias, { strides, pads, kernel_shape: kernel }) {
  const rank = value.last ? value.rank : value.tensor.rank;
  const x = channelsLast(tf, value);
  const line = kernel.length === 1;
  const stride = line ? [1, strides[0]] : strides;
  if (op === "Conv") {
    const sides = line
      ? [[0, 0], pads]
      : [
          [pads[0], pads[2]],
          [pads[1], pads[3]],
        ];
    const pad = [[0, 0], ...sides, [0, 0]];
    return { tensor: tf.fused.conv2d({ x, filter, strides: stride, pad, bias }), last: true, rank };
  }
  const [batch, height, width] = x.shape;
  const shape = [batch, height * stride[0], width * stride[1], filter.shape[2]];
  return {
    tensor: tf.add(tf.conv2dTranspose(x, filter, shape, stride, "same"), bias),
    last: true,
    rank,
  };
}

/** [N, C, T] or [N, C, H, W] as [N, 1, T, C] or [N, H, W, C]. */
function channelsLast(tf, { tensor, last }) {
  if (last) return tensor;
  if (tensor.rank === 3) return tf.expandDims(tf.transpose(tensor, [0, 2, 1]), 1);
  return tf.transpose(tensor, [0, 2, 3, 1]);
}

function channelsFirst(tf, { tensor, last, rank }) {
  if (!last) return tensor;
  if (rank === 3) return tf.transpose(tf.squeeze(tensor, [1]), [0, 2, 1]);
  return tf.transpose(tensor, [0, 3, 1, 2]);
}

/** Without gain and offset: the network's layer norms carry none. */
function normalise(tf, x, epsilon) {
  const difference = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(difference), -1, true);
  return tf.mul(difference, tf.rsqrt(tf.add(variance, epsilon)));
}

function slice(tf, x, starts, ends, axes) {
  const begin = x.shape.map(() => 0);
  const size = [...x.shape];
  axes.forEach((axis, i) => {
    begin[axis] = starts[i];
    size[axis] = ends[i] - starts[i];
  });
  return tf.slice(x, begin, size);
}
